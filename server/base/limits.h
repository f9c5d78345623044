// Every bound of the program, on one page. Each number has its unit in its name.
//
// Those an operator may change are the defaults of flags (app/config.h); the rest are fixed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace gateway::limits {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

inline constexpr std::size_t kKiB = 1024;
inline constexpr std::size_t kMiB = 1024 * kKiB;

// Sizes of messages and bodies.
inline constexpr std::size_t kRequestMaxBytes = 16 * kMiB;       // of a submit
inline constexpr std::size_t kSmallRequestMaxBytes = 64 * kKiB;  // of all other calls
inline constexpr std::size_t kSubmitReplyMaxBytes = 1 * kMiB;
// A job's reply, decoded. An hour of speech is 2 to 3 MB of transcript, a day of it 60 MB.
inline constexpr int kJobReplyMaxMiB = 64;    // unless set
inline constexpr int kJobReplyMostMiB = 512;  // that may be set; SQLite and the parser end at 1 GB
inline constexpr std::size_t kJobReplyMaxBytes = kJobReplyMaxMiB * kMiB;
inline constexpr std::size_t kSmallReplyMaxBytes = 1 * kMiB;   // what a poll reads at first
inline constexpr std::size_t kReadAsideFromBytes = 64 * kKiB;  // read on a thread of its own
inline constexpr std::size_t kListReplyMaxBytes = 64 * kMiB;
inline constexpr std::size_t kResponseHeadersMaxBytes = 64 * kKiB;
inline constexpr std::size_t kHttpTargetMaxBytes = 8 * kKiB;  // of a request to Pictory
inline constexpr std::size_t kHttpHeadersMaxBytes = 64 * kKiB;
inline constexpr std::size_t kBasicTextMaxBytes = 64 * kKiB;  // a text inlined in the BASIC view
inline constexpr std::size_t kFullViewMaxBytes = 3 * kMiB;    // beyond it parts are left out
// Several texts may each be within their own bound; together they must not weigh on every snapshot.
inline constexpr std::size_t kBasicViewMaxBytes = 512 * kKiB;
inline constexpr std::size_t kFullViewReadMaxBytes =
    12 * kMiB;                                             // of JSON; more is never read for it
inline constexpr std::size_t kChunkMaxBytes = 256 * kKiB;  // ReadJobResult

// What Pictory tells of an account: how much of an answer is read, and how much of it callers get.
// They take 4 MiB by default.
inline constexpr std::size_t kFreeReplyMaxBytes = 16 * kMiB;
inline constexpr std::size_t kFreeReplyMaxValues = 500'000;
inline constexpr std::size_t kListAnswerMaxBytes = 3 * kMiB;
inline constexpr std::size_t kWholeAnswerMaxBytes = 3 * kMiB;  // Pictory's own, byte for byte
inline constexpr std::size_t kPageTokenMaxBytes = 2048;        // of Pictory's
inline constexpr int kTransactionsMax = 10'000;
inline constexpr int kTemplatesMax = 10'000;

// `pictory-gateway contract`: a word of Pictory's that its report repeats, the pages of a list that
// it reads, what it may be told to spend, and how it waits for a job that it has paid for.
inline constexpr std::size_t kContractWordMaxBytes = 40;
inline constexpr int kContractPagesMax = 3;
inline constexpr int kContractSpendMax = 1000;
inline constexpr minutes kContractJobWait{30};
inline constexpr seconds kContractPollEvery{10};
inline constexpr int kContractNotFoundMax = 6;  // polls that may not know the job

// JSON from anybody.
inline constexpr int kJsonMaxDepth = 32;
inline constexpr std::size_t kJsonMaxValues = 4'000'000;
inline constexpr std::size_t kJsonStringMaxBytes = 4 * kMiB;
// A job's reply may have more values than others, one for so many bytes of it. A word of a
// transcript has nine in 130 bytes and more.
inline constexpr std::size_t kJobReplyBytesPerValue = 8;
inline constexpr std::size_t kJsonKeyMaxBytes = 256;
inline constexpr std::size_t kJsonMembersMax = 10'000;  // of one object that a caller sends

// The shape of a request, before anything is made of it. How much of each field it may hold stands
// beside the field, in the .proto files.
inline constexpr std::size_t kRequestMessagesMax = 100'000;  // messages in it, at any depth
// Beyond the free ones a request may hold one message for so many of its bytes, because a message
// takes memory even if it is empty.
inline constexpr std::size_t kRequestMessagesFree = 5'000;
inline constexpr std::size_t kRequestBytesPerMessage = 16;
inline constexpr int kRequestDepthMax = 64;  // of messages in messages
// Free values in it (google.protobuf.Value, at any depth): beyond those that are free as messages
// are, one for so many of its bytes; and how deep their objects and lists may be in each other.
inline constexpr std::size_t kRequestFreeValuesMax = 200'000;
inline constexpr std::size_t kRequestBytesPerFreeValue = 8;
inline constexpr int kRequestFreeDepthMax = 20;
// Whole numbers beyond it, either way, are not told apart by a double, which is what they come as.
inline constexpr double kExactWholeMax = 9007199254740991;  // 2^53 - 1
// How often a request may repeat a field that counts once; the last one counts.
inline constexpr int kRequestFieldRepeatsMax = 16;
inline constexpr int kRequestUnknownFieldsMax = 100;  // at any depth; they take memory too
// How many violations one refusal names: nobody reads more, and a hostile request must not make us
// write more.
inline constexpr std::size_t kViolationsMax = 50;

// What is taken for a word mistyped: so many letters off, in a word no longer than this; nobody
// mistypes longer ones by a letter.
inline constexpr std::size_t kMistypedEditsMax = 3;
inline constexpr std::size_t kMistypedWordMaxBytes = 64;

// Of the reason that Pictory gives for a failure: how deep it is read, and how much of it.
inline constexpr int kFailureMaxDepth = 4;
inline constexpr std::size_t kFailureMaxBytes = 64 * kKiB;
// What a body may say that it costs, in AI credits.
inline constexpr double kCreditsMax = 1e6;
inline constexpr double kClipMaxSeconds = 60;  // that a clip may say to last; Pictory makes 10

// Ids and labels.
inline constexpr std::size_t kCallerIdMaxBytes = 128;
inline constexpr std::size_t kRequestIdMaxBytes = 64;
inline constexpr std::size_t kUpstreamIdMaxBytes = 256;
// What callers send of a trace. A list of states is what W3C asks everybody to pass on at least.
inline constexpr std::size_t kTraceparentMaxBytes = 128;
inline constexpr std::size_t kTraceStateMaxBytes = 512;
inline constexpr int kTraceStateMembersMax = 32;
inline constexpr std::size_t kTraceStateTextMaxBytes = 256;  // of a key, of a value
// Spans on their way to the collector. When so many wait, further ones are dropped.
inline constexpr std::size_t kSpansQueuedMax = 4096;
inline constexpr std::size_t kSpansABatchMax = 512;
inline constexpr seconds kSpansExportInterval{1};
inline constexpr seconds kSpansExportTimeout{5};
inline constexpr seconds kSpansLastExportMax{2};  // at the end of the program
// Jobs of which the phase under way is remembered for its span.
inline constexpr std::size_t kTracedJobsMax = 20'000;
// Signed URLs with a session token are some 2 KiB long.
inline constexpr std::size_t kUrlMaxBytes = 8 * kKiB;
inline constexpr std::size_t kLabelsMax = 64;
inline constexpr std::size_t kLabelKeyMaxBytes = 63;
inline constexpr std::size_t kLabelValueMaxBytes = 255;
// What a job is called, for people; with the dots behind a cut 256.
inline constexpr std::size_t kJobNameMaxBytes = 253;
// Our own secrets in Pictory's words. A value below the least is no secret: it would be found in
// innocent words. Of a longer one so many bytes in a row are taken out wherever they stand.
inline constexpr std::size_t kSecretMinBytes = 8;
inline constexpr std::size_t kSecretPartMinBytes = 10;
// How many secrets are looked for, the newest: a late answer may hold one that was replaced.
inline constexpr std::size_t kSecretsRemembered = 8;
// Of a URL in a result. A longer one is not shown as a link; it stands in RESULT_JSON as it came.
inline constexpr std::size_t kResultUrlMaxBytes = 8 * kKiB;
// How much of Pictory's words stands inside a status message.
inline constexpr std::size_t kUpstreamTextMaxBytes = 512;
// How many fields one refusal of Pictory's may name.
inline constexpr std::size_t kUpstreamViolationsMax = 50;

// Uploads, which clients send past the gateway.
inline constexpr std::size_t kFileNameMaxBytes = 255;
inline constexpr std::size_t kContentTypeMaxBytes = 255;
inline constexpr std::size_t kSignedUrlMaxBytes = 8 * kKiB;  // session tokens make them long
inline constexpr seconds kSignedUrlLife{24 * 3600};
inline constexpr std::uint64_t kUploadMaxBytes = std::uint64_t{5} << 30;  // S3's, of one PUT

// A file of submits, for `pictory submit`; each of its lines may have kRequestMaxBytes.
inline constexpr int kBatchLinesMax = 10'000;
inline constexpr std::size_t kBatchFileMaxBytes = 256 * kMiB;
inline constexpr int kBatchParallel = 8;  // submits at once, unless set
inline constexpr int kBatchParallelMax = 64;
// What one command does to jobs that a filter chooses: so many, of which a dry run shows so many on
// a terminal; and of how many UNCONFIRMED ones it asks Pictory what they may be.
inline constexpr int kBulkJobsMax = 10'000;
inline constexpr int kBulkJobsShown = 50;
inline constexpr int kBulkLooksMax = 100;

// Words that a shell completes.
inline constexpr milliseconds kCompletionDeadline{
    500};  // of each question to the gateway, unless set
inline constexpr milliseconds kCompletionDeadlineMax{30'000};
inline constexpr int kCompletionJobsMax = 100;

// Transfers to and from Pictory.
inline constexpr std::size_t kUpstreamQueueMax = 10'000;
inline constexpr int kCurlEnginesMax = 64;
// How often a request that is not paid may be written: libcurl alone would repeat one five times if
// each of its streams is refused.
inline constexpr int kReadSendsMax = 2;
inline constexpr int kUpstreamInFlightMax = 10'000;
// Repeats of what was sent to an account and brought no answer that counts: at most so many of a
// hundred reads of the last minute, and a few in any case.
inline constexpr int kRepeatsPercent = 10;
inline constexpr int kRepeatsMin = 3;
inline constexpr seconds kRepeatsWindow{60};
// How long a caller is told to wait where an answer of Pictory's was of no use and does not say it
// itself.
inline constexpr seconds kUpstreamRetryLater{5};
inline constexpr seconds kUnreachableRetry{2};         // after a submit that was not sent
inline constexpr seconds kUpstreamRateLimitRetry{10};  // after Pictory's 429
inline constexpr seconds kConnectTimeout{5};
inline constexpr seconds kSubmitTimeout{30};
inline constexpr seconds kPollTimeout{10};
// What kPollTimeout doubles to while a reply does not come.
inline constexpr seconds kSlowPollTimeoutMax{120};
inline constexpr minutes kLargePollTimeout{5};  // 60 MB at 2 Mbit/s; silence is noticed far earlier
inline constexpr seconds kConnectionMaxIdle{30};
inline constexpr seconds kConnectionMaxLife{300};

// Access tokens.
inline constexpr seconds kTokenTimeout{10};
// A new token is fetched so long before the old one ends, which serves meanwhile.
inline constexpr seconds kTokenRefreshBefore{60};
inline constexpr minutes kTokenLifeAssumed{10};  // where Pictory names none
inline constexpr seconds kTokenLifeMin{1};
inline constexpr hours kTokenLifeMax{24};
inline constexpr seconds kTokenRetryFirst{1};  // after a fetch that failed, doubling
inline constexpr seconds kTokenRetryMax{60};
inline constexpr seconds kTokenRefusedRetry{30};  // client credentials or a new token refused
inline constexpr std::size_t kTokenMaxBytes = 16 * kKiB;
inline constexpr std::size_t kTokenReplyMaxBytes = 64 * kKiB;

// The request budget of one account.
inline constexpr double kBudgetPerSecond = 5;
inline constexpr double kBudgetBurst = 10;
inline constexpr milliseconds kSubmitBudgetMaxWait{1000};
inline constexpr double kSandboxBudgetPerSecond = 2000;
// Each 429 halves the rate, down to this share of what was set; each second without one gives this
// share of it back.
inline constexpr double kBudgetLeast = 0.05;
inline constexpr double kBudgetRecoveryPerSecond = 0.1;

// An outage: while Pictory answers nobody it is asked by one call at a time, and nothing else is
// sent.
inline constexpr int kOutageSuspectedAfter = 10;  // requests in a row without an answer
inline constexpr seconds kOutageProbeInterval{5};
// How often a call that waits looks whether the account still rests.
inline constexpr milliseconds kRestCheckInterval{250};
// How often Pictory is asked while it refuses the credentials: hardly anything but a person's deed
// changes that.
inline constexpr seconds kCredentialsProbeInterval{30};
// How long after a refusal Pictory is asked once more before the account rests: a refusal may
// stray.
inline constexpr seconds kCredentialsConfirmAfter{2};

inline constexpr int kDegradedAfter = 3;  // polls in a row that said nothing, and watchers are told

// The poll curve.
inline constexpr seconds kPollFirst{5};
inline constexpr double kPollGrowth = 1.5;
inline constexpr seconds kPollMaxWatched{30};
inline constexpr seconds kPollMaxUnwatched{120};
inline constexpr double kPollJitter = 0.2;
inline constexpr milliseconds kSandboxPollFirst{200};
inline constexpr milliseconds kSandboxPollMax{1000};
inline constexpr seconds kPollErrorFirst{2};
inline constexpr minutes kPollErrorMax{5};
// How soon a job is asked about again of which there was news while the store could not be reached.
inline constexpr seconds kPollUnstored{10};
// Pictory need not know a job for so long after it has accepted it. A job that it did not know so
// many times in a row, over at least so long, is upstream_missing.
inline constexpr seconds kNotFoundGrace{60};
inline constexpr int kNotFoundMissingAfter = 5;
inline constexpr minutes kNotFoundMissingSpan{10};
inline constexpr hours kMissingExpiresAfter{24};
inline constexpr seconds kFailureConfirmDelay{5};
inline constexpr minutes kResultIncompleteAfter{2};
inline constexpr int kResultIncompleteAnswers = 3;  // in a row, at least
// A break: so long without an answer of Pictory's; jobs do not grow older in it.
inline constexpr hours kUnaskedGap{3};
inline constexpr minutes kAskedNoteInterval{10};  // when Pictory answered is stored no more often
inline constexpr minutes kSlowAfter{30};
inline constexpr int kSlowFactor = 4;
// What past jobs tell of one that has not ended: how many of an account and kind count, as one
// each; how many of a tenant's newest are read after a start; and of how many accounts and kinds
// they are kept.
inline constexpr int kPastJobsCounted = 100;
inline constexpr int kPastJobsRead = 256;
inline constexpr std::size_t kPastJobsKinds = 4'096;
// Fewer tell nothing: of when a job may end, and of whether it stands still.
inline constexpr int kEstimateJobsMin = 5;
inline constexpr int kStallJobsMin = 20;
// The shares of past jobs that had ended when a job's end is likely, late, and unusual.
inline constexpr double kEstimateLikely = 0.5;
inline constexpr double kEstimateLate = 0.9;
inline constexpr double kStallShare = 0.95;
// A job stands still only after so many polls in vain, as far apart as the curve ever has them.
inline constexpr int kStallPolls = 3;
// How long the bytes of an estimate are told to whoever asks, and of how many jobs at a time.
inline constexpr seconds kEstimateKept{1};
inline constexpr std::size_t kEstimateFramesKept = 64;
inline constexpr hours kStaleAfter{24};
inline constexpr hours kStalePollInterval{1};
static_assert(kUnaskedGap > 2 * kStalePollInterval, "the polls of one old job are no gap");
inline constexpr hours kExpiresAfter{7 * 24};
inline constexpr seconds kHintInterval{2};  // hints make no two polls of a job within this
inline constexpr std::int32_t kShards = 1'024;
// How many deleted or forgotten jobs the feed still tells of.
inline constexpr std::int64_t kTombstonesMax = 100'000;
inline constexpr std::size_t kHintsMax = 4;  // Pictory jobs that one unconfirmed job is said to be
inline constexpr std::size_t kEarlyHintsMax = 10'000;
inline constexpr minutes kEarlyHintKept{10};
inline constexpr hours kUnconfirmedStaleAfter{7 * 24};
inline constexpr seconds kHintsReadAgain{5};  // from a store that could not be asked for them
inline constexpr hours kUnconfirmedSweep{1};
inline constexpr seconds kResolveRetry{1};  // after the store refused
inline constexpr hours kClockSlack{2};      // a wall clock may have been set by so much in between
inline constexpr int kCandidatePagesMax = 10;  // of Pictory's job list, for ResolveJob
// Names that nobody here knows and about which Pictory is asked: so many at once, so many in a row
// and then at most this share of the account's budget. A name that Pictory does not know is not
// asked about again so soon.
inline constexpr std::size_t kLooksInFlightMax = 16;
inline constexpr double kLooksBurst = 5;
inline constexpr double kLooksShare = 0.25;
inline constexpr minutes kUnknownIdKept{1};
inline constexpr std::size_t kUnknownIdsMax = 10'000;
inline constexpr seconds kRetryAfterMin{1};
inline constexpr minutes kRetryAfterMax{10};
inline constexpr hours kTooLargePollInterval{1};  // only another setting can change the answer
inline constexpr int kPollsInFlightMax = 64;
inline constexpr int kLargePollsInFlightMax = 2;  // whose reply may be longer than a small one
// One place in so many is for polls that are waited for longer.
inline constexpr int kSlowPollsShare = 4;
// Submits and changes, and looks, that are under way at once, of all accounts of one address. One
// tenant of one account has at most half of them (jobs/places.h).
inline constexpr int kSubmitsInFlightMax = 128;
inline constexpr int kLooksOfAllInFlightMax = 64;

// Jobs that wait for others: how many in all and of one tenant, how large the request of each may
// be and all of them together, how many are tried at once, and when one that could not be sent is
// tried again. A quarter at most is one tenant's of what all share.
inline constexpr std::size_t kWaitingJobsMax = 10'000;
inline constexpr std::size_t kWaitingJobsOfTenantMax = 1'000;
inline constexpr std::size_t kWaitingRequestMaxBytes = 64 * kKiB;
inline constexpr std::size_t kWaitingBytesMax = 64 * kMiB;
inline constexpr std::size_t kWaitingBytesOfTenantMax = kWaitingBytesMax / 4;
inline constexpr std::size_t kWaitingTriedMax = 32;  // far below kSubmitsInFlightMax
inline constexpr std::size_t kWaitingTriedOfTenantMax = kWaitingTriedMax / 4;
inline constexpr seconds kWaitingRetryFirst{1};
inline constexpr minutes kWaitingRetryMax{1};

// When a write that the store was too busy for is tried again.
inline constexpr seconds kLateWriteFirst{1};
inline constexpr minutes kLateWriteMax{1};
// While the program ends, each is tried so often, at this interval.
inline constexpr int kLateWritesAtEnd = 20;
inline constexpr milliseconds kLateWriteAtEnd{250};

// Webhook calls.
inline constexpr std::size_t kWebhookUrlMaxBytes = 500;  // Pictory's own limit
inline constexpr std::size_t kWebhookKeyBytes = 32;
// How much is read of one webhook call; see the receiver.
inline constexpr std::size_t kWebhookCallBodyMaxBytes = 64 * kKiB;
inline constexpr std::size_t kWebhookCallHeadersMaxBytes = 16 * kKiB;
inline constexpr std::size_t kWebhookCallConnectionsMax = 256;
inline constexpr seconds kWebhookCallReadTimeout{10};  // of a whole call
inline constexpr seconds kWebhookCallWriteTimeout{10};
inline constexpr seconds kWebhookCallIdleTimeout{30};
// Webhook calls of one submission are handed on no more often.
inline constexpr milliseconds kWebhookCallInterval{250};
// Of so many submissions the last call is kept.
inline constexpr std::size_t kWebhookCallRecentMax = 4096;
// The poll curve where webhook calls tell of jobs that end: it grows faster, to caps so many times
// higher.
inline constexpr double kWebhookPollGrowth = 2;
inline constexpr int kWebhookPollSlower = 2;
// Webhook calls that the sandbox makes.
inline constexpr std::size_t kSandboxWebhooksWaitingMax = 1000;
inline constexpr std::size_t kSandboxWebhookOriginsMax = 8;
inline constexpr seconds kSandboxWebhookTimeout{10};

// The admin port.
inline constexpr std::size_t kAdminConnectionsMax = 64;
inline constexpr std::size_t kAdminHeadersMaxBytes = 16 * kKiB;
inline constexpr std::size_t kAdminBodyMaxBytes = 4 * kKiB;
inline constexpr seconds kAdminReadTimeout{10};   // of a whole request
inline constexpr seconds kAdminWriteTimeout{10};  // of a whole answer
inline constexpr seconds kAdminIdleTimeout{75};
// Callers over HTTP. Their requests have the bounds of all calls.
inline constexpr std::size_t kFaceConnectionsMax = 4096;  // of all its listeners together
// The part of the file limit that they may take, which callers by gRPC then have less, and the part
// of a listener's places that watches may hold: they give way to nobody.
inline constexpr std::uint64_t kFaceConnectionsPercentOfFiles = 20;
inline constexpr std::size_t kFaceWatchesPercent = 75;
inline constexpr seconds kFaceWatchRetry{5};  // after which who finds them all taken comes again
inline constexpr std::size_t kFaceHeadersMaxBytes = 32 * kKiB;
inline constexpr seconds kFaceIdleTimeout{75};
// How much longer than kRequestArrivalMax a request over HTTP may take: the call it is made into is
// to refuse it first, where there is one.
inline constexpr seconds kFaceArrivalGrace{1};
inline constexpr seconds kFaceCallerTimeoutMax{86'400};  // that a caller may ask for
inline constexpr seconds kFaceLastAnswersMax{2};   // for what is on its way at the end of a drain
inline constexpr seconds kFaceConnectionRetry{1};  // the same where all connections are taken
inline constexpr seconds kFaceDrainRetry{1};  // after which who comes during a drain comes again
// How long the server pauses after a connection could not be accepted and none could give way.
inline constexpr milliseconds kAcceptPause{50};
// How long a caller that has ended its half of a connection waits for something to be sent: as long
// as a call without a deadline of its own takes.
inline constexpr seconds kHalfClosedMax{60};
// How much is read of a request that was answered early, so that its answer is not lost.
inline constexpr std::size_t kLingerMaxBytes = 4 * kMiB;
inline constexpr seconds kLingerMax{2};
// How often accepting fails in a row before the server pauses: something else in the process takes
// the descriptors that it has set free.
inline constexpr int kAcceptFailuresMax = 2;
// What the HTTP server reads at once, and how large a piece of an answer is that it gathers.
inline constexpr std::size_t kHttpReadBytes = 16 * kKiB;
inline constexpr std::size_t kHttpPieceBytes = 64 * kKiB;

// Calls.
inline constexpr int kConcurrentStreamsMax = 1000;
inline constexpr int kAcceptedInARowMax = 64;  // of one socket, before the others have their turn
inline constexpr int kWatchesMax = 20'000;     // unless set, or where memory is less
inline constexpr int kWatchesMin = 100;        // however little it is
inline constexpr int kUnaryCallsMax = 4'000;
inline constexpr int kHealthWatchesMax = 1'000;
inline constexpr int kReflectionStreamsMax = 64;
inline constexpr int kResultStreamsMax = 256;
inline constexpr int kPeerShareDivisor = 2;  // of these three, one peer has at most this part
// The gateway refuses a call with more metadata, with a message.
inline constexpr std::size_t kMetadataMaxBytes = 16 * kKiB;
// The size of a status, so that clients and proxies with a limit of 8 KiB for headers take it:
// Base64 makes four bytes of three, and the message may triple by percent encoding.
inline constexpr std::size_t kStatusDetailsMaxBytes = 3500;
inline constexpr std::size_t kStatusMessageMaxBytes = 1000;
inline constexpr std::size_t kMetadataLibraryMaxBytes = 64 * kKiB;  // the library refuses more
inline constexpr seconds kClientPingsMinInterval{5};
// How long a connection may take to its first HTTP/2 settings.
inline constexpr seconds kHandshakeMax{20};
inline constexpr seconds kKeepaliveInterval{60};
inline constexpr seconds kKeepaliveTimeout{20};
inline constexpr minutes kCallerConnectionMaxIdle{15};
// How long old connections, which take no new calls, have beyond the longest watch to get rid of
// the present ones. So the gateway ends a watch, with a status that tells the caller what to do,
// and the library never does, with one that does not.
inline constexpr seconds kAgeGrace{60};
// Beyond so much of the file limit no connection is accepted, and the gateway calls itself over a
// new one to see that it can still be reached.
inline constexpr std::uint64_t kConnectionsPercentOfFiles = 80;
inline constexpr std::size_t kConnectionsPerPlaceLeft = 4;  // of one address, for each place left
inline constexpr int kConnectionsLookRest = 9;  // times as long as it took to see which have ended
inline constexpr seconds kSelfCallInterval{10};
inline constexpr seconds kSelfCallTimeout{5};
inline constexpr int kSelfCallMissesMax = 2;
inline constexpr std::size_t kSelfCallAnswerMaxBytes = 1 * kKiB;
// If the gateway's own thread was so late, what it saw proves nothing.
inline constexpr seconds kSelfCallLate{2};
// The pause after the system refused a descriptor for a connection.
inline constexpr milliseconds kAcceptRetry{100};
inline constexpr std::size_t kStreamWindowBytes = 16 * kKiB;  // of a stream that nobody reads
inline constexpr std::size_t kRequestsArrivingMax = 4'000;
inline constexpr std::size_t kArrivingGiveWay = 250;  // at once, when there are so many
inline constexpr seconds kRequestArrivalMax{30};      // from a request's first byte to its last
inline constexpr seconds kDrainArrivalMax{1};         // the same in a drain
inline constexpr milliseconds kArrivalCheckInterval{50};
// The same where memory may be short soon: a fast sender gets one or two MiB further in each
// millisecond.
inline constexpr milliseconds kArrivalCheckSoon{5};
// From so much of the memory limit on, requests that do not arrive at once are refused.
inline constexpr std::size_t kMemoryShortPercent = 75;
// Requests are refused at least so much below the memory limit, and looked at more often from so
// much below that on: between two rare looks a fast sender gets so far.
inline constexpr std::size_t kMemoryShortHeadroom = 96 * kMiB;
// Where it is scarce, so much more since requests were last refused means that more must go.
inline constexpr std::size_t kMemoryGrowth = 1 * kMiB;
inline constexpr int kMemoryLimitMinMiB = 64;
// The memory in which the gateway survives load (tests/e2e/smallest_test.py); with less it warns.
inline constexpr int kMemorySmallestMiB = 256;
// What the process takes, to tell which settings do not fit; see server/docs/decisions/load.md.
inline constexpr std::size_t kIdleGatewayBytes = 48 * kMiB;
inline constexpr std::size_t kWatchBytes = 41 * kKiB;  // on a connection of its own
inline constexpr std::size_t kWatchedIdBytes = 512;    // of each id that a WatchJobs names
inline constexpr std::size_t kReplyFactor = 3;         // what two replies take, by the size of one
// One part in so many of the memory limit is for watches, unless --max-watches is given.
inline constexpr std::size_t kWatchesShare = 2;
// Blocks from here on come from the system and go back to it at once; what the allocator has at a
// heap's end it keeps up to so much; and of all that it keeps, more than after the last time is
// given back.
inline constexpr int kLargeBlockBytes = 1 * kMiB;
inline constexpr int kHeapTopMaxBytes = 4 * kMiB;
inline constexpr std::size_t kMemoryKeptMaxBytes = 16 * kMiB;
inline constexpr seconds kMemoryLookInterval{5};
// One part in so many of the memory limit is for requests beyond the small ones whose calls are
// under way: what is made of a request takes some five times its size.
inline constexpr std::size_t kLargeRequestsShare = 16;
inline constexpr std::size_t kLargeRequestsMaxBytes = 256 * kMiB;
// One part in so many of the memory limit is for answers that are not small and are being made or
// not taken yet.
inline constexpr std::size_t kLargeAnswersShare = 8;
// Each half of it has room for one such answer.
inline constexpr std::size_t kLargeAnswersMinBytes = 4 * kFullViewMaxBytes;
inline constexpr std::size_t kLargeAnswersMaxBytes = 256 * kMiB;
inline constexpr std::size_t kLargeAnswerFromBytes = 4 * kKiB;  // smaller ones are not counted
// The same for one that is alone: what a valid request may become, and of little memory at most so
// much.
inline constexpr std::size_t kLargeRequestAloneShare = 4;
inline constexpr std::size_t kLargeRequestAloneMaxBytes = 4 * kRequestMaxBytes;
inline constexpr seconds kHeartbeatInterval{25};
// How exact a wait of a stream is, and the steps in which streams end one after the other.
inline constexpr seconds kStreamTick{1};
inline constexpr milliseconds kStreamEndTick{100};
// How many watchers are told before others get their turn: a write costs some 10 µs, so others wait
// a few milliseconds.
inline constexpr std::size_t kWatchersSliceMax = 256;
inline constexpr std::size_t kWatchersTurnMax = 64;  // of them, of one tenant before another's turn
inline constexpr seconds kWriteStuckAfter{30};
// WatchJobs. How many changed jobs may wait for a slow reader before it reads them from the store
// instead; what one reads of the store at once, and how much of a list it holds; and how long the
// text is from which it goes on.
inline constexpr std::size_t kWatchJobsQueueMax = 1'024;
inline constexpr int kWatchJobsFeedPage = 512;
inline constexpr int kWatchJobsListPage = 100;
inline constexpr std::size_t kWatchJobsListHeldBytes = 64 * kKiB;
inline constexpr std::size_t kResumeTokenMaxBytes = 4 * kKiB;
// The follower of the store's feed: how often it reads, how much at once, how many jobs it asks the
// store for at a time, how many changes may wait to be told, of all tenants and of one, and how
// often a position is told to those who were told of no change.
inline constexpr milliseconds kFeedInterval{200};
inline constexpr int kFeedPage = 1'000;
inline constexpr std::size_t kFeedLooksMax = 32;
inline constexpr std::size_t kFeedBacklogMax = 65'536;
inline constexpr std::size_t kFeedBacklogOfTenantMax = kFeedBacklogMax / 4;
inline constexpr seconds kFeedPositionInterval{10};
static_assert(kFeedPositionInterval < kHeartbeatInterval, "heartbeats tell how far all is told");
inline constexpr seconds kUnaryDefaultDeadline{60};
inline constexpr minutes kMeshRetryWindow{10};  // a retry without a request_id is matched this long
// Submits without a request_id whose answer may not have arrived.
// An answer that did not arrive is kept for an equal submit.
inline constexpr minutes kOwedWindow{10};
inline constexpr seconds kKeylessSettle{30};  // one that seems to have arrived, unless set
inline constexpr minutes kKeylessSettleMax{10};
inline constexpr hours kOwedAcrossRestart{1};  // that the program may have been away
inline constexpr std::size_t kOwedAnswersMax = 100'000;
inline constexpr std::size_t kOwedRecoveredMax = 50'000;  // of them from before a restart
inline constexpr std::size_t kOwedSweepFirst = 1024;
inline constexpr seconds kOwedSweepInterval{1};
inline constexpr int kSpendingLimitMax = 1'000'000;  // submits a day that can be counted
inline constexpr milliseconds kMinTimeToSend{500};
// With a store that several gateways share: a request is sent within so long of the write that says
// it is, which is less than after which another gateway may say what became of it; and how often a
// call looks for the end of an equal submit that runs at another gateway, and how long before its
// deadline it answers without.
inline constexpr seconds kSendWithin{15};
inline constexpr milliseconds kPeerLook{250};
// So long an equal submit without a request_id may be a repetition of one that another gateway has
// begun: kOwedWindow after its answer, and as long as that may have taken.
inline constexpr minutes kEqualElsewhere{15};
static_assert(kEqualElsewhere > kOwedWindow && kEqualElsewhere > kMeshRetryWindow);
inline constexpr seconds kPeerAnswerBefore{1};
// How long a notice to the service manager waits for a place in its queue.
inline constexpr seconds kServiceNoticeWait{1};
inline constexpr int kBeatsPerWatchdog = 3;     // that systemd hears of within its WatchdogSec
inline constexpr seconds kProbeTimeoutMax{60};  // of `pictory-gateway probe`
inline constexpr seconds kDrainDeadline{20};
inline constexpr seconds kDrainWatchdog{10};
// A signal that comes so soon after the first belongs to it: `timeout`, and shells in front of a
// program, send theirs twice.
inline constexpr seconds kSecondSignalAfter{1};
// How long before a drain ends waiting submitters are told; at most half of the drain.
inline constexpr seconds kToldBeforeCut{1};
inline constexpr int kBatchJobsMax = 100;  // that one BatchGetJobs names
inline constexpr int kListPageDefault = 50;
inline constexpr int kListPageMax = 1000;
// What one GetUsage counts by a label: so many jobs, read a page at a time, and so many values by
// themselves.
inline constexpr int kUsageJobsMax = 100'000;
inline constexpr int kUsagePage = 1000;
inline constexpr std::size_t kUsageValuesMax = 1000;

// Pressure: so much of the memory limit is used, a thread that others wait for comes so late, or so
// many writes wait for the store. It is gone once less than the second number is left of each.
inline constexpr std::size_t kPressureMemoryPercent = 80;
inline constexpr std::size_t kPressureGoneMemoryPercent = 75;
inline constexpr milliseconds kPressureLag{200};
inline constexpr milliseconds kPressureGoneLag{100};
inline constexpr std::size_t kPressureStoreQueue = 1'000;
inline constexpr std::size_t kPressureGoneStoreQueue = 500;
inline constexpr milliseconds kPressureLookInterval{100};
// How long pressure holds, or is gone, before one thing more, or less, is shed.
inline constexpr seconds kShedStep{1};
// What callers are told to wait who are shed, spread over twice as long.
inline constexpr milliseconds kShedRetryAfter{1500};
// How many polls are put off at once, so that nobody waits long for the poller.
inline constexpr int kPollsPutOffMax = 256;

// The archive of results' files. The first five may be set.
inline constexpr int kArchiveMaxMiB = 50 * 1024;     // on disk, in all
inline constexpr int kArchiveFileMaxMiB = 5 * 1024;  // of one file
inline constexpr int kArchiveMinFreeMiB = 1024;      // that its disk keeps free for others
inline constexpr int kArchiveTransfers = 2;          // jobs whose files are fetched at once
inline constexpr int kArchiveMiBPerSecond = 20;      // of all of them together
inline constexpr int kArchiveTransfersMost = 16;
inline constexpr std::int64_t kArchiveMostMiB = std::int64_t{1} << 30;
inline constexpr std::int64_t kArchiveRoomStepBytes =
    8 * kMiB;  // written between two looks at the disk
inline constexpr std::size_t kArchiveNoteMaxBytes = 4 * kKiB;
inline constexpr std::size_t kArchiveReadBytes = 1 * kMiB;  // at once, to hash a file
inline constexpr std::size_t kArchiveNameMaxBytes = 64;
inline constexpr int kArchiveRedirectsMax = 3;
inline constexpr int kArchiveCountAtOnce = 256;  // folders that are counted before others' work
// Reads of archived files that wait: of all, and of one tenant. Each stream has one.
inline constexpr int kArchiveReadsMax = 1024;
inline constexpr int kArchiveReadsOfTenantMax = 256;
inline constexpr int kArchiveReaders = 2;  // threads
inline constexpr seconds kArchiveReadRetry{1};
// How long the end of the program waits for a disk that does not answer.
inline constexpr seconds kArchiveStopMax{5};
// When a file that could not be had is tried again: the pause doubles.
inline constexpr seconds kArchiveRetryFirst{5};
inline constexpr hours kArchiveRetryMax{1};
inline constexpr double kArchiveRetryJitter = 0.2;
// After so many refusals, such as a 404, it is given up; after so long of trying whatever the
// reason is, but for our own disk.
inline constexpr int kArchiveRefusalsMax = 8;
inline constexpr hours kArchiveGiveUpAfter{7 * 24};
// Notifications to receivers of the tenants' own.
// How many are under way at once: of all, to one host, and of one tenant.
inline constexpr int kNotifyInFlightMax = 64;
inline constexpr int kNotifyInFlightOfHostMax = 4;
inline constexpr int kNotifyInFlightOfTenantMax = 16;
inline constexpr seconds kNotifyTimeout{15};  // of one try
// When a shard has come, so long for its holder before to hear of what it has sent, and to store
// it.
inline constexpr seconds kNotifyHandOver{20};
static_assert(kNotifyTimeout < kNotifyHandOver);
// How many wait, of all and of one tenant; what comes beyond that is given up at once.
inline constexpr std::size_t kNotifyWaitingMax = 100'000;
inline constexpr std::size_t kNotifyWaitingOfTenantMax = 10'000;
// When one is tried again: the pause grows four times each time.
inline constexpr seconds kNotifyRetryFirst{5};
inline constexpr hours kNotifyRetryMax{2};
inline constexpr double kNotifyRetryJitter = 0.2;
inline constexpr hours kNotifyGiveUpAfter{24};  // of trying
inline constexpr std::size_t kNotifyUrlMaxBytes = 2 * kKiB;
inline constexpr std::size_t kNotifyAnswerMaxBytes = 64 * kKiB;  // nobody reads its body
// The key of a signature, as Standard Webhooks bounds it, and how many a tenant may have at once.
inline constexpr std::size_t kNotifyKeyMinBytes = 24;
inline constexpr std::size_t kNotifyKeyMaxBytes = 64;
inline constexpr std::size_t kNotifySecretsMax = 2;
inline constexpr std::size_t kNotifyHostsMax = 64;  // of one tenant

// One fetch. What was broken off is gone on with later, so that nobody holds a place for long.
inline constexpr int kFetchLeastBytes = 8 * 1024;  // a second
inline constexpr seconds kFetchStallTimeout{30};
inline constexpr minutes kFetchTimeout{15};

// Store.
inline constexpr std::size_t kStoreQueueMax = 10'000;
// How much must be free on the store's disk at a start: a log that has grown to its usual size, and
// some large results.
inline constexpr std::int64_t kStoreRoomMinBytes = 16 * kMiB;
inline constexpr seconds kStoreRetryAfter{1};  // what a caller is told whom the store refuses
inline constexpr std::size_t kStoreGroupMax = 256;
inline constexpr std::size_t kStoreGroupMaxBytes = 8 * kMiB;    // of large values in one commit
inline constexpr std::size_t kListReadMaxBytes = 16 * kMiB;     // of results, for one page
inline constexpr std::size_t kPartSliceBytes = kChunkMaxBytes;  // a part is stored in rows of this
inline constexpr int kCopyJobs = 500;   // that `store copy` reads at once, and writes in one commit
inline constexpr seconds kCopyTold{2};  // how often it says how far it is
inline constexpr std::size_t kFinishedJobsCachedMax = 10'000;
// How long a commit waits for the file. Only a program that has nothing to do with the store can
// hold it that long; reads do not wait.
inline constexpr seconds kStoreBusyTimeout{10};
// How much of the file each lane of reads caches. Parts are read from one end to the other, mostly
// once.
inline constexpr int kFindsCacheKiB = 32 * 1024;
inline constexpr int kListsCacheKiB = 8 * 1024;
inline constexpr int kPartsCacheKiB = 2 * 1024;
inline constexpr int kLogLongPages = 1'000;  // a log of so many is folded into the file
// A store on another machine (server/postgres). A statement that is not answered for so long is
// given up, with its connection; what became of a COMMIT is then read on the next one.
inline constexpr seconds kStoreReplyMax{15};
// The same at a start, which counts all that there is.
inline constexpr minutes kStoreRecoverMax{10};
// Writes wait so long for a store that is away, and are refused then.
inline constexpr seconds kStoreAwayWait{10};
inline constexpr std::size_t kStoreAwayReasonsMax = 8;  // that are told until it is back
// The pause between two tries to reach it: the longer, the more often it failed.
inline constexpr milliseconds kStoreReconnectFirst{100};
inline constexpr seconds kStoreReconnectMax{2};
// How long the end of the program waits for a store that is away.
inline constexpr seconds kStoreCloseMax{5};
inline constexpr seconds kStoreLease{15};  // of a gateway on its store
inline constexpr seconds kStoreLeaseRenewal{5};
// So long before its end a gateway stops looking after jobs by it, by its own clock.
inline constexpr seconds kStoreLeaseMargin{2};
// A gateway whose lease has been over for so long is gone: others end the attempts that it left.
inline constexpr seconds kStoreLeaseGrace{60};
static_assert(kSendWithin < kStoreLeaseGrace);
inline constexpr minutes kStoreRefusedTold{1};  // that PostgreSQL refuses, at most so often
inline constexpr int kStoreConflictsMax = 20;   // that one transaction is run again for
// The pause before that, at most; spread, because others pause as well.
inline constexpr milliseconds kStoreConflictPause{20};
inline constexpr std::int64_t kFeedMax = 100'000;  // changes of one writer that are kept
// Of a connection that has ended: when readers need not ask for its changes any more, and when they
// are forgotten.
inline constexpr hours kStoreWriterKept{24};
inline constexpr std::size_t kFinishedJobsShare = 16;  // of the memory limit, and at most so much:
inline constexpr std::size_t kFinishedJobsMaxBytes = 256 * kMiB;
inline constexpr hours kSpendingWindow{24};
// A store that several gateways share counts submits in steps of these lengths, and each of its
// writers in one of so many places, so that none waits for another.
inline constexpr hours kSpendingLongStep{1};
inline constexpr seconds kSpendingShortStep{6};
inline constexpr std::int64_t kSpendingSlots = 16;
inline constexpr double kSpendingCreditsMax = 1e12;  // of one job that it counts
// How long a caller is told to wait where only a person or a job's end lets the next submit in.
inline constexpr minutes kSpendingRetry{1};
inline constexpr int kPruneBatch = 200;
inline constexpr int kPruneSlicesMax = 64;  // of results, 16 MiB
inline constexpr minutes kPruneInterval{10};
// The pause between two batches of pruning, for whatever else wants to write.
inline constexpr milliseconds kPrunePause{50};
inline constexpr hours kRequestIdKept{7 * 24};
inline constexpr int kKeptMostDays = 3650;  // of a request_id, and of a job that has ended
inline constexpr hours kFinishedJobKept{30 * 24};

// Who may call.
inline constexpr std::size_t kTenantsFileMaxBytes = 4 * kMiB;
inline constexpr std::size_t kTenantsMax = 1'000;
inline constexpr std::size_t kAccountsMax = 64;
// Accounts whose keys callers have shown, open at once; one takes some 30 KiB. Who finds all of
// them at work is told to come again so much later.
inline constexpr std::size_t kCallerAccountsMax = 256;
inline constexpr seconds kCallerAccountsRetry{10};
// Once that many are open, so many may be replaced at once, and so many each second: each new key
// costs Pictory a question or two, also one that is made up.
inline constexpr int kCallerAccountChangesBurst = 32;
inline constexpr int kCallerAccountChangesPerSecond = 2;
// Doors that are kept of accounts that are not open, whose jobs wait for their keys.
inline constexpr std::size_t kClosedDoorsMax = 1024;
inline constexpr std::size_t kCallerKeyMaxBytes = 512;
inline constexpr std::size_t kApiKeysMax = 10'000;      // of all tenants
inline constexpr std::size_t kIdentitiesMax = 10'000;   // the same
inline constexpr std::size_t kTenantNameMaxBytes = 63;  // of accounts and keys too
inline constexpr std::size_t kIdentityMaxBytes = 1 * kKiB;
inline constexpr int kTenantLimitMax = 1'000'000'000;
inline constexpr std::int64_t kTenantBytesMax = std::int64_t{1} << 40;
inline constexpr std::int64_t kTenantArchiveBytesMax = std::int64_t{1} << 50;
inline constexpr std::size_t kTrustedProxiesMax = 256;
inline constexpr std::size_t kJwksMaxBytes = 1 * kMiB;
inline constexpr std::size_t kJwksKeysMax = 64;
inline constexpr std::size_t kJwtMaxBytes = 8 * kKiB;
inline constexpr std::size_t kJwtsCachedMax = 10'000;  // tokens whose signature was checked
inline constexpr seconds kJwtLeewayMax{60};
inline constexpr std::size_t kJwtRsaMinBits = 2048;
inline constexpr std::size_t kJwtRsaMostBits = 8192;  // a larger key makes each check dear

// Settings.
inline constexpr std::size_t kConfigFileMaxBytes = 256 * kKiB;
// How much of a wrong value stands in the message about it.
inline constexpr std::size_t kSettingShownMaxBytes = 80;
// The length of a variable's name or value that is looked at, because std::regex recurses.
inline constexpr std::size_t kServiceLinkMaxBytes = 512;
inline constexpr std::size_t kSecretLineMaxBytes = 4 * kKiB;
inline constexpr seconds kSecretLookInterval{5};
inline constexpr std::size_t kTlsFileMaxBytes = kMiB;  // room for all public authorities
// How long before the end of a certificate the log begins to warn of it.
inline constexpr hours kCertificateEndsSoon{7 * 24};
inline constexpr seconds kStopFileLookInterval{1};

// How many lines that libraries write for their own reasons, or because of strangers, are logged in
// kForeignLinesWindow.
inline constexpr int kForeignLinesMax = 20;
// How many lines may wait to be written: what a busy gateway logs in a second or so, 400 bytes
// each.
inline constexpr std::size_t kLogQueueMaxLines = 4096;
inline constexpr seconds kLogCloseMax{1};  // how long an end waits for a reader of the log
inline constexpr seconds kForeignLinesWindow{10};
// How many lines about refused calls are logged of each reason in kRefusalWindow, and of how many
// reasons; further reasons are counted as one.
inline constexpr int kRefusalLinesMax = 10;
inline constexpr seconds kRefusalWindow{10};
inline constexpr std::size_t kRefusalReasonsMax = 100;
inline constexpr std::size_t kRefusalTextMaxBytes = 200;
inline constexpr std::size_t kRefusalNameMaxBytes = 64;  // of a peer, an id or a field
inline constexpr int kRefusalFieldsMax = 5;
inline constexpr std::size_t kErrorCodesMax = 32;  // of failed jobs, that become labels of a metric
inline constexpr std::size_t kTenantLabelsMax = 100;  // tenants that become labels of a metric

// The face for agents (`pictory-gateway mcp`). A message holds a storyboard; one that may become
// larger is no request that an agent writes.
inline constexpr std::size_t kMcpMessageMaxBytes = 4 * kMiB;
inline constexpr std::size_t kMcpWorkers = 8;          // calls to the gateway at once
inline constexpr std::size_t kMcpQueueMax = 64;        // messages that wait for one of them
inline constexpr std::size_t kMcpSubmitsMax = 10'000;  // that one session remembers
inline constexpr std::size_t kMcpQuestionsMax = 16;  // that wait for a person; then the oldest goes
inline constexpr std::size_t kMcpReadMaxBytes = 64 * kKiB;  // of a result, in one answer
inline constexpr int kMcpListDefault = 20;                  // jobs of a list that says no number
inline constexpr int kMcpListMax = 100;
inline constexpr milliseconds kMcpPoll{2000};   // after which an agent asks for a task again
inline constexpr hours kMcpListFresh{1};        // how long an agent may keep the list of tools
inline constexpr seconds kMcpRetryMaxWait{10};  // spent on attempts of one call to the gateway
inline constexpr int kMcpAttempts = 3;
inline constexpr seconds kMcpEndMax{5};  // for calls under way when an agent has ended its input
inline constexpr std::size_t kMcpConnectionsMax = 64;
inline constexpr double kMcpSpendCapMax = 1e9;  // credits

// File descriptors.
inline constexpr std::uint64_t kFilesRefuseBelow = 1024;
inline constexpr std::uint64_t kFilesWarnBelow = 65'536;

}  // namespace gateway::limits

// The longer texts of `pictory --help` and of its commands.
#pragma once

namespace pictory_jobs::cli::help {

inline constexpr char kAbout[] =
    "Pictory's video jobs from the command line: submit once, watch live, read the result.";

inline constexpr char kMain[] =
    R"(Answers go to stdout, progress and errors to stderr. After a submit the first line is
`job <id>`; scripts use --json, which prints one object a line: answers on stdout, on stderr
{"error":{"code","reason","message","hint","jobId","requestId","retryAfterSeconds",
"fieldViolations"}} as far as known, {"warning"} and {"note"}.

A JOB is its id, the beginning of it (4 letters or more, if only one visible job begins so), Pictory's
own id, or @last: the job that you submitted last at this server.

Exit status:
  0    succeeded                          5    gateway unreachable, or it refused the call
  1    the job failed                     6    outcome unknown: do not submit it again
  2    wrong usage, file or JSON          7    standard output could not be written
  3    no such job                      130    detached by Ctrl-C; the job goes on
  4    stopped waiting; the job may go on

With 7 what was asked for is done: a job was submitted, and stderr has `job <id>`. A submit whose
standard output is closed or full from the start is not made: 2.

Examples:
  pictory preview --text "Hello, world." --watch
  pictory render 01hx2v… --watch
  pictory transcribe ./talk.mp4 --wait --json
  pictory list --state running

The gateway is --server, else $PICTORY_GATEWAY, else 127.0.0.1:50051. One that asks who calls gets
the API key of $PICTORY_GATEWAY_KEY or --gateway-key-file, and one whose callers pay your own key of
Pictory's, of $PICTORY_CALLER_KEY or --caller-key-file. $SSL_CERT_FILE names authorities that are
believed instead of the system's, where --tls-ca and --media-ca do not.
`pictory help COMMAND` tells more about each command.)";

inline constexpr char kStates[] =
    "waiting, unconfirmed, queued, running, succeeded, failed, expired, cleaned, outcome-unknown, "
    "cancelled";

inline constexpr char kSubmit[] =
    R"(The first line of the answer is `job <id>`. With --watch progress is drawn and the result
follows; --wait does the same silently. A job that is UNCONFIRMED may be running and billed, and
must not be submitted again: exit status 6. With --watch or --wait that is said on stderr, once,
and the wait goes on until the job has ended; 6 if it is UNCONFIRMED still when --timeout ends.
With --json, --wait prints the final job, --watch one object for each state.

--request-id makes a repetition harmless: the same id with the same request is the same job.
All flags of `pictory --help` apply.

Examples:
)";

inline constexpr char kBatch[] =
    R"(Each line of FILE is one submit, as a JSON object of these members:

  kind       preview, render, transcribe, summarize, image or video
  body       what that command takes as a file: Pictory's own body
  request    or, in its place, the request of the API in proto JSON (previewJobId …)
  labels     kept with the job; an object of texts
  requestId  a name of one's own for this submit

The whole file is read first: where a line is bad, all bad lines are named and nothing is
submitted, unless --keep-going leaves them out. A line's request_id is made of the file's name and
of what the line asks for and its labels, so the same command can be run again after whatever
happened: lines that were submitted are found again and not paid for twice, the others go on. Lines
may be put in, moved and spelled anew, but with the members of objects in the same order; equal
lines are as many jobs as there are of them. Where lines that were submitted are gone and others are
new, they may be the same ones changed: nothing is submitted then, without --changed. A line whose
job ended without a result may be changed. A requestId of a line's own stands for it whatever it
says. Of the file's name the folder is no part. The jobs have the label pictory-batch. What the
gateway has forgotten (--keep-jobs-days, 30 and 7 days more) it does not find again.

The gateway's limits are waited for, as long as it says, up to five minutes a line or --timeout.
A refusal that would meet all lines ends the command, as does one of its kind of as many lines in a
row as are sent at once, and stderr says how to go on; other lines that are refused are named, and
keep no others from being sent. A file may have 10000 lines and
256 MiB, a line 16 MiB. With --json each line submitted is one object: line, outcome (submitted or
existing), requestId, job; and the last one is {"summary"}. Errors on stderr name their line.

Examples:
  pictory submit films.jsonl --check
  pictory submit films.jsonl --watch
  generate | pictory submit - --batch films-2026-05 --json

  {"kind":"transcribe","body":{"fileUrl":"https://example.com/talk.mp4"},"labels":{"team":"news"}}
  {"kind":"render","request":{"previewJobId":"01hx2v…","waitForPreview":true},"requestId":"film-7"})";

inline constexpr char kResubmit[] =
    R"(Of the lines of FILE, which `pictory submit` has submitted, those whose jobs FAILED are submitted
once more. Without --yes it is only told which, with what their jobs said and about how many AI
credits they may use; on a terminal you are asked. The gateway does not keep what was asked for: a
job that no line of the file made, or whose line was changed, cannot be submitted again by it, and
is counted. --batch is as it was for `pictory submit`.

The new job has the request_id again-JOB and the labels of the failed one, so the same command can
be given again after whatever happened: it pays for each failed job once, and submits a line a third
time only if the second failed, too. `pictory submit` with the file still finds the first jobs.

--state chooses others than FAILED: cancelled, expired or outcome-unknown. Of the last two nobody
knows that they made nothing; they may have been billed. A job that is UNCONFIRMED is never
submitted again: resolve it first. --kind, --label, --since and --before choose among the failed
jobs. Answers and exit status are those of `pictory submit`; with --json, what would be done is an
object a line: would, line, requestId, job; and the last one is {"summary"}.

Examples:
  pictory resubmit films.jsonl
  pictory resubmit films.jsonl --kind render --since 1d --yes --watch)";

inline constexpr char kGet[] =
    R"(Exit status 0 whatever state the job is in; `pictory wait` tells by its exit status. Of several
jobs each is shown in the order given; where some fail the others are shown all the same, stderr
has a line for each that failed, and the exit status is that of the one in most need of attention.

Examples:
  pictory get 01hx2v…
  pictory get 01hx2v… 01hx30… --json
  pictory get 01hx2v… --full --json)";

inline constexpr char kUpdatePreview[] =
    R"(Changes elements of a finished preview at Pictory before it is rendered: texts, backgrounds, the
music, times. FILE (or - for stdin) is a JSON array of elements as `elements` of the preview's
render-params has them: of each its id, elementType, type, startTime and duration, and what is to
be another. It costs nothing and can be repeated. The preview's page shows the changes, and
`pictory render JOB` has them; `pictory result JOB` is as it was.

Examples:
  pictory result 01hx2v… --part render-params | jq '[.elements[] | select(.id == "bgMusic")]'
  pictory update-preview 01hx2v… changes.json && pictory render 01hx2v… --watch)";

inline constexpr char kProjects[] =
    R"(Without PROJECT: the projects that are saved in the Pictory account, with the id that
`pictory render --project` takes. With one: all that Pictory tells of it.

Pictory pages them, and each page is a call of Pictory's. Where the gateway may make no more at
once, the command waits until it may, for up to five minutes a page, or --timeout. If the list
ends early, it says so on stderr, with the --page-token to go on from, and fails.

Examples:
  pictory projects
  pictory projects --page-token 'TOKEN'
  pictory projects 20251222191648030d7df02f5b4054d4 --json)";

inline constexpr char kAccount[] =
    R"(Shows the quota of the Pictory account, what is left of its AI credits, and what Pictory has
charged and granted in a month. With --by KEY also what your jobs that were created in the month
have told that they used, by the value of the label KEY. Pictory's charges name no job, so the
two can only be compared: the rest was done past this gateway or by others, or is of jobs that
were deleted, or not told.

Examples:
  pictory account
  pictory account --month 2026-05 --by team)";

inline constexpr char kTemplate[] =
    R"(Templates are project files of Pictory's app (.pictai) that are kept in the account;
`pictory preview --template ID` makes a preview from one.

  pictory template list
  pictory template get ID
  pictory template upload FILE          # prints the new template's id and its variables
  pictory template update ID FILE       # FILE is a JSON array of scenes
  pictory template delete ID)";

inline constexpr char kWebhooks[] =
    R"(The gateway tells a receiver of yours by a signed POST that a job has ended, and tries for a
day where that fails. `list` shows what it has given up, with --pending what it still tries;
`replay` has it try again at once, with the same id, also what was delivered already. It says that
it will be tried, not that it has been delivered.

Examples:
  pictory webhooks list
  pictory webhooks list --pending
  pictory webhooks replay 01hx2v…
  pictory webhooks replay --all)";

// With the kinds of jobs for $0.
inline constexpr char kList[] =
    R"(Newest first. Several --state or --kind: any of them; several --label: all of them.
LEFT is an estimate of the gateway, from how long past jobs of the kind took: `soon?` and `late?`
once it is over, `stalled?` where a job seems to stand still.
States: waiting unconfirmed queued running succeeded failed expired cleaned outcome-unknown
cancelled.
Kinds: $0.

Examples:
  pictory list
  pictory list --state queued --state running --label team=news
  pictory list --since 2h -o wide
  pictory list --before 30d --state failed
  pictory list --state running -o id | xargs pictory wait
  pictory list --watch                # goes on until Ctrl-C
  pictory list --all --json)";

inline constexpr char kWatch[] =
    R"(One line for each job, redrawn in place on a terminal; the results follow on stdout. Connects
again by itself. Ctrl-C detaches: the jobs go on. The exit status is that of the job in most
need of attention. An UNCONFIRMED job is watched on, as `pictory wait` does.

Without a JOB it watches all jobs that have not ended, or those of --state, --kind and --label, also
those that come to be later, until Ctrl-C: a table that lives on a terminal, a line for each
change elsewhere. With --json it is an object for each change: the job, or {"goneJobId": …} of one
that was deleted. Several --state or --kind: any of them; several --label: all of them.

Examples:
  pictory watch 01hx2v…
  pictory watch 01hx2v… 01hx30… --timeout 10m
  pictory watch 01hx2v… --json        # one object for each state
  pictory watch                       # all that goes on
  pictory watch --label batch=monday --json)";

inline constexpr char kWait[] =
    R"(Silent until the jobs are done; but of a job that is UNCONFIRMED stderr tells once what can be
done. It may still be found at Pictory, or be resolved by a person with `pictory resolve`, so it is
waited for like any other. Exit status 6 if it is UNCONFIRMED still when --timeout ends, 4 for
any other job that has not ended by then.

Examples:
  pictory wait 01hx2v… && pictory result 01hx2v… --download
  pictory wait 01hx2v… --timeout 15m --json)";

inline constexpr char kResult[] =
    R"(Without --part: what the job has, above all its URLs. Parts: txt srt vtt result-json
render-params transcript; `pictory get JOB` says which of them a job has. --download fetches the
mp4 of a render or video, or an image, into -o FILE (<job>.mp4, <job>.png); with -o - it goes to
standard output, and nothing else does. It is not begun where it has no room, and ends where it is longer than --max-mib.
Either into a file, the same command goes on where an earlier attempt stopped. It comes from the
gateway's archive if that has it, and is compared with the SHA-256 there; else from its URL, which
leads nowhere once Pictory has removed the result. --file fetches another file of the archive.

Examples:
  pictory result 01hx2v…
  pictory result 01hx2v… --part srt -o talk.srt
  pictory result 01hx2v… --download -o video.mp4
  pictory result 01hx2v… --download -o - | ffprobe -
  pictory result 01hx2v… --download --file thumbnail.jpg)";

inline constexpr char kOpen[] =
    R"(Opens what a job has made with the program of the desktop (xdg-open): a preview's page, a video, a
picture, or the page on which a transcription is edited. The link is printed as well; where there
is no such program, nothing else happens.

Examples:
  pictory open @last
  pictory open 01hx2v)";

inline constexpr char kResolve[] =
    R"(An UNCONFIRMED job was sent to Pictory, but no complete answer came back. Without a flag,
this lists the jobs at Pictory it could be; nothing is changed. --adopt says which one it is,
--abandon gives it up (OUTCOME_UNKNOWN). Look at Pictory before you abandon: it may be working
on it, and bill it.

In place of a JOB, flags choose jobs: --kind, --label, --since, --before or --all. Each of them is
looked at, 100 at most. With --abandon it is told which would be given up, 10000 at most, and done
with --yes, or once you have typed their number. Which job of Pictory's one is, has to be said of
each.

Examples:
  pictory resolve 01hx2v…
  pictory resolve 01hx2v… --adopt 8f2c…
  pictory resolve 01hx2v… --abandon
  pictory resolve --label batch=monday
  pictory resolve --before 7d --abandon)";

inline constexpr char kUpload[] =
    R"(Sends the file straight to Pictory's media store and prints the URL to use it by: as the media
of a transcription, or in a storyboard. The upload costs nothing and makes no job. The file goes on
where it broke off if the store can do that, else from the start. It may have 5 GiB. The proxies
that http_proxy, https_proxy, all_proxy and no_proxy name are used, but not to this machine.

Examples:
  pictory upload talk.mp4
  url=$(pictory upload --quiet logo.png)
  pictory upload clip.webm --content-type video/webm --json)";

inline constexpr char kDoctor[] =
    R"(Looks at what stands between you and a job, one line for each thing: OK, WARN or FAIL, and what to
do about it. Costs nothing and changes nothing.

  gateway    is there one at --server, and how fast does it answer
  clock      how far are the two clocks apart
  versions   of this command and of the gateway
  identity   who you are to the gateway, and what you may do
  store      can the gateway read its jobs
  load       does it refuse calls because it is under pressure
  Pictory    can it be asked, and does it take the key: by one free question, where you may ask it
  budget     what is used of your limits
  streams    does a proxy on the way cut one that says nothing within 20 s (--stream)

Exit status 0 if nothing FAILs, else 5. With --json each line is an object: check, health, message,
fix.

Examples:
  pictory doctor
  pictory doctor --stream 2m --json)";

inline constexpr char kCompletion[] =
    R"(Prints a script that completes commands, flags, their values, files, and the ids of jobs: `watch`
offers those that have not ended first, `resolve` those that are UNCONFIRMED. Ids are asked of the
gateway that the words or PICTORY_GATEWAY name; where it does not answer within half a second, or
PICTORY_COMPLETION_SECONDS, there are none. An installed pictory brings the scripts along; else:

  source <(pictory completion bash)          # in ~/.bashrc
  source <(pictory completion zsh)           # in ~/.zshrc, behind compinit
  pictory completion fish | source           # in ~/.config/fish/config.fish)";

inline constexpr char kUsageOf[] =
    R"(Shows what your tenant has used of its limits in the last 24 hours: submits that may have cost
money, AI credits (reserved for jobs that have not ended, else as Pictory says), and how many jobs
have not ended. With --by KEY also what jobs have used by the value of the label KEY: all that are
kept, or with --since those that were created since then. The credits are counted as those of the
24 hours are. The gateway counts the newest 100,000 jobs, and the 1,000 values that come first.

Examples:
  pictory usage
  pictory usage --by team
  pictory usage --by team --since 24h)";

inline constexpr char kDelete[] =
    R"(Removes finished jobs, and their outputs at Pictory. Of several, each is removed in the order
given; one that cannot be keeps no other from it. stderr has a line for each that failed, and the
exit status is that of the one in most need of attention. A job that is WAITING is cancelled
instead, before it is sent: nothing is billed, and it stays, as CANCELLED. With --cancel-only one that
does not wait any more is left as it is, however it has ended.

In place of a JOB, flags choose jobs: --state, --kind, --label, --since, --before or --all; jobs that
have ended, unless --state says waiting; those are cancelled or left. It is told which they are, and
done with --yes, or once you have typed their number. At most 10000 are taken at once; the same command goes on with the others,
and after whatever stopped it. With --json, what would be done is an object for each job: would,
job; and the last one is {"summary"}.

Examples:
  pictory delete 01hx2v…
  pictory delete 01hx2v… 01hx30…
  pictory delete --cancel-only 01hx2v…
  pictory delete --state failed --before 30d
  pictory delete --label batch=monday --yes)";

}  // namespace pictory_jobs::cli::help

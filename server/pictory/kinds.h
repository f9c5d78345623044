// KindFacts holds what the gateway knows of a kind of job beyond what the .proto declares. There is
// one row for each kind.
//
// The .proto says what is sent to Pictory: paths, keys, what a request needs. A row says in code
// what is known of the answers, because that is judged from several members at once; and what a
// request must not be, where that takes more than a look at one field.
#pragma once

#include <span>
#include <string_view>

#include "google/protobuf/message.h"
#include "json/check.h"
#include "pictory/envelope.h"
#include "pictory/jobs/v1/job.pb.h"
#include "pictory/translate.h"
#include "pictory/violations.h"

namespace gateway::pictory {

struct KindFacts {
  ::pictory::jobs::v1::JobKind kind = ::pictory::jobs::v1::JOB_KIND_UNSPECIFIED;
  // The kind's name in options and logs.
  std::string_view word;
  // What makes a result usable, in words for people.
  std::string_view makes;
  // Whether a result of a kind that is not known is one of these; asked in an order in which the
  // first that says so is right.
  bool (*shown)(const Envelope&) = nullptr;
  // Whether `data` holds what cannot be there before the end, so that the job has ended even if
  // Pictory does not say so.
  bool (*ended)(const Envelope&) = nullptr;
  // Whether a result that Pictory calls completed is usable without what `makes` names; null: it
  // never is. `job` is what was read of the result.
  bool (*usable_too)(const Envelope&, const ::pictory::jobs::v1::Job& job) = nullptr;
  // If true, an answer that says completed without what `makes` names has no result, whatever else
  // it holds.
  bool nothing_else_counts = false;
  // A field of the result, none if empty, that the BASIC view does not hold.
  std::string_view basic_lacks;
  // Fills in what the gateway makes of a result that was read, also of the field `basic_lacks`;
  // null: nothing.
  void (*derive)(::pictory::jobs::v1::Job&) = nullptr;
  // What a submit may cost in AI credits, as far as its body shows (credits.h).
  double (*price)(std::string_view body) = nullptr;
  // Adds what is wrong with a request beyond what its .proto says; null: CheckPlainBody does.
  void (*check)(const google::protobuf::Message& request, const TranslateOptions&,
                Violations&) = nullptr;
};

// The rows of all kinds, in the order of JobKind's numbers.
std::span<const KindFacts> Kinds();

// The row of a kind. UNSPECIFIED, and a kind without a row, get one that takes any kind's result.
const KindFacts& FactsOf(::pictory::jobs::v1::JobKind kind);

// What the members of `data` show a job to be; UNSPECIFIED if they show nothing, or something this
// API has no kind for. Reads the words of a transcript to tell a summary from a transcription.
::pictory::jobs::v1::JobKind ShownKind(const Envelope& envelope);

// A part of results that is a member of `data` on its own: JSON as the bytes it has, or a text.
struct MemberPart {
  ::pictory::jobs::v1::ResultPart part;
  ResultKey member;
  json::Type type;
};
// All parts but RESULT_JSON.
std::span<const MemberPart> MemberParts();

// Members of `data` that no BASIC view holds and that are no part on their own.
std::span<const ResultKey> UnseenMembers();

}  // namespace gateway::pictory

#include "postgres/connection.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace gateway::postgres {
namespace {

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using Options = std::unique_ptr<PQconninfoOption, FreeOptions>;

// Whether a URL is one that libpq cuts into other pieces than who wrote it: a `/` or `@` in a
// password that is not escaped makes the rest of it a host, a port or a database, which are shown.
bool IsCutWrongly(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos || url.substr(0, scheme).find('=') != url.npos) return false;
  const std::string_view rest = url.substr(scheme + 3);
  const std::size_t at = rest.rfind('@');
  return at != rest.npos && rest.find_first_of("@/?") < at;
}

absl::StatusOr<Options> Parse(const std::string& conninfo) {
  if (IsCutWrongly(conninfo)) {
    return absl::InvalidArgumentError(
        "is a URL with an @ where none can be; in a user's name and a password write @ as %40, / "
        "as %2F and ? as %3F");
  }
  char* why = nullptr;
  Options options(PQconninfoParse(conninfo.c_str(), &why));
  if (options != nullptr) {
    for (const PQconninfoOption* at = options.get(); at->keyword != nullptr; ++at) {
      if (std::strcmp(at->keyword, "port") != 0 || at->val == nullptr) continue;
      if (std::strspn(at->val, "0123456789,") == std::strlen(at->val)) continue;
      return absl::InvalidArgumentError("has a port that is no number");
    }
    return options;
  }
  // What libpq says may hold a part of the password, so it is not shown.
  if (why != nullptr) PQfreemem(why);
  return absl::InvalidArgumentError(
      "is neither a postgres:// URL nor a text as libpq takes it (host=… dbname=…)");
}

// What holds where the operator has said nothing. A pooler refuses all other start-up options.
constexpr std::array<std::pair<const char*, const char*>, 9> kDefaults = {
    {{"application_name", "pictory-gateway"},
     {"client_encoding", "UTF8"},
     {"target_session_attrs", "read-write"},
     {"connect_timeout", "3"},
     {"keepalives", "1"},
     {"keepalives_idle", "10"},
     {"keepalives_interval", "5"},
     {"keepalives_count", "3"},
     {"tcp_user_timeout", "15000"}}};

// How soon one who waits sees that the end is set.
constexpr Duration kLook = std::chrono::milliseconds(100);

// What somebody can do about a connection that there is not, beside what libpq says.
std::string Advice(const PGconn* connection, std::string_view why) {
  if (PQconnectionNeedsPassword(connection) != 0) {
    return "; no password was found: put it into the URL in the file of --store-file, or into the "
           "file that PGPASSFILE names, which libpq reads only if it is its owner's alone (chmod "
           "600)";
  }
  if (why.find("certificate verify failed") != why.npos) {
    return "; the server's certificate was not issued by the authority in the file of sslrootcert, "
           "or it has expired: `openssl s_client -starttls postgres -connect HOST:PORT -CAfile "
           "FILE` says which";
  }
  return "";
}

std::string Trimmed(const char* text) {
  return std::string(absl::StripAsciiWhitespace(text == nullptr ? "" : text));
}

const char* Field(const PGresult* result, int code) {
  const char* field = PQresultErrorField(result, code);
  return field == nullptr ? "" : field;
}

}  // namespace

absl::StatusOr<Place> PlaceOf(const std::string& conninfo) {
  absl::StatusOr<Options> options = Parse(conninfo);
  if (!options.ok()) return options.status();
  std::map<std::string, std::string> given;
  for (const PQconninfoOption* at = options->get(); at->keyword != nullptr; ++at) {
    if (at->val != nullptr && at->val[0] != '\0') given[at->keyword] = at->val;
  }
  Place place{.has_password = given.contains("password") || given.contains("sslpassword")};
  for (const char* part : {"host", "hostaddr", "port", "dbname", "user"}) {
    if (const auto found = given.find(part); found != given.end()) {
      absl::StrAppend(&place.text, place.text.empty() ? "" : " ", part, "=", found->second);
    }
  }
  if (place.text.empty()) place.text = "libpq's default";
  return place;
}

std::unique_ptr<Connection> Connection::Open(const std::string& conninfo, Duration patience,
                                             Takes takes) {
  absl::StatusOr<Options> options = Parse(conninfo);
  if (!options.ok()) throw Error("", std::string(options.status().message()));
  std::vector<const char*> keys, values;
  for (const PQconninfoOption* at = options->get(); at->keyword != nullptr; ++at) {
    const char* value = at->val;
    for (const auto& [key, otherwise] : kDefaults) {
      if (value == nullptr && std::strcmp(at->keyword, key) == 0) value = otherwise;
    }
    if (takes == Takes::kAnything && std::strcmp(at->keyword, "target_session_attrs") == 0) {
      value = "any";
    }
    if (value == nullptr) continue;
    keys.push_back(at->keyword);
    values.push_back(value);
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  PGconn* connection = PQconnectdbParams(keys.data(), values.data(), /*expand_dbname=*/0);
  if (connection == nullptr) throw std::bad_alloc();
  auto opened = std::unique_ptr<Connection>(new Connection(connection, patience));
  if (PQstatus(connection) != CONNECTION_OK) {
    const std::string why = Trimmed(PQerrorMessage(connection));
    throw Error("", absl::StrCat(why, Advice(connection, why)));
  }
  return opened;
}

Connection::Connection(PGconn* connection, Duration patience)
    : connection_(connection), patience_(patience) {
  PQsetNoticeReceiver(connection, Notice, this);
  // Else what a server does not take in would be waited for inside libpq, without an end.
  PQsetnonblocking(connection, 1);
}

// "The transaction has already committed locally, but might not have been replicated to the
// standby": the only warning that a COMMIT gives.
void Connection::Notice(void* self, const PGresult* notice) {
  if (std::string_view(Field(notice, PG_DIAG_SQLSTATE)) == "01000") {
    static_cast<Connection*>(self)->warned_ = true;
  }
}

void Connection::Lost() {
  std::string why = Trimmed(PQerrorMessage(connection_.get()));
  throw Error("", why.empty() ? "the connection to PostgreSQL was lost" : std::move(why));
}

void Connection::Sent(bool sent) {
  if (!sent) Lost();
}

PGresult* Connection::Next(MonoTime deadline) {
  PGconn* const connection = connection_.get();
  while (PQisBusy(connection) != 0) {
    const int unsent = PQflush(connection);
    if (unsent < 0) Lost();
    pollfd socket{.fd = PQsocket(connection),
                  .events = static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN),
                  .revents = 0};
    if (socket.fd < 0) Lost();
    const MonoTime until = end_ == nullptr ? deadline : std::min(deadline, end_->at());
    const Duration left = until - MonoTime(std::chrono::steady_clock::now());
    if (left <= Duration::zero()) throw NoAnswer();
    poll(&socket, 1,
         static_cast<int>(
             std::chrono::ceil<std::chrono::milliseconds>(std::min(left, kLook)).count()));
    if ((socket.revents & (POLLIN | POLLERR | POLLHUP)) != 0 && PQconsumeInput(connection) == 0) {
      Lost();
    }
  }
  return PQgetResult(connection);
}

Rows Connection::Last() {
  const MonoTime deadline = MonoTime(std::chrono::steady_clock::now()) + patience_;
  Rows last(nullptr);
  std::optional<Error> error;
  try {
    while (PGresult* result = Next(deadline)) {
      Rows rows(result);
      switch (PQresultStatus(result)) {
        case PGRES_COMMAND_OK:
        case PGRES_TUPLES_OK:
        case PGRES_SINGLE_TUPLE:
        case PGRES_EMPTY_QUERY:
          last = std::move(rows);
          break;
        default:
          if (!error.has_value()) {
            error.emplace(Field(result, PG_DIAG_SQLSTATE), Trimmed(PQresultErrorMessage(result)),
                          Field(result, PG_DIAG_CONSTRAINT_NAME));
          }
      }
    }
  } catch (const Error&) {
    if (!error.has_value()) throw;  // else what was said before the connection broke says more
  }
  if (error.has_value()) throw *std::move(error);
  if (last.get() == nullptr || PQstatus(connection_.get()) != CONNECTION_OK) Lost();
  return last;
}

Rows Connection::Run(const Statement& statement) {
  Sent(statement.Send(connection_.get()));
  return Last();
}

void Connection::Script(const std::string& sql) {
  Sent(PQsendQuery(connection_.get(), sql.c_str()) == 1);
  Last();
}

void Connection::Stream(const Statement& statement, const std::function<void(const Rows&)>& take) {
  Sent(statement.Send(connection_.get()));
  PQsetSingleRowMode(connection_.get());
  for (;;) {
    PGresult* result = Next(MonoTime(std::chrono::steady_clock::now()) + patience_);
    if (result == nullptr) return Lost();
    Rows rows(result);
    if (PQresultStatus(result) == PGRES_SINGLE_TUPLE) {
      take(rows);
      continue;
    }
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
      const Error error(Field(result, PG_DIAG_SQLSTATE), Trimmed(PQresultErrorMessage(result)));
      try {
        Drain();
      } catch (const Error&) {
        // The first error says what is wrong.
      }
      throw error;
    }
    return Drain();
  }
}

void Connection::Drain() {
  while (PGresult* more = Next(MonoTime(std::chrono::steady_clock::now()) + patience_)) {
    PQclear(more);
  }
}

void Connection::Commit() {
  warned_ = false;
  std::string why;
  try {
    Sent(PQsendQuery(connection_.get(), "COMMIT") == 1);
    const Rows done = Last();
    const std::string_view did = PQcmdStatus(done.get());
    if (did == "COMMIT" && !warned_) return;
    // A transaction that has failed is ended by COMMIT without an error.
    if (did == "ROLLBACK") throw Error("40000", "PostgreSQL has rolled the transaction back");
    why = did == "COMMIT" ? "committed, but the standby may not have it"
                          : "COMMIT was answered with something else";
  } catch (const Error& error) {
    if (error.IsRolledBack() && PQtransactionStatus(connection_.get()) == PQTRANS_IDLE) throw;
    why = Describe(error);
  }
  throw Error(Error::kOutcomeUnknown, std::move(why));
}

void Connection::Rollback() noexcept {
  if (PQtransactionStatus(connection_.get()) == PQTRANS_IDLE) return;
  try {
    Script("ROLLBACK");
  } catch (const std::exception&) {
    // The next statement says what is wrong.
  }
}

}  // namespace gateway::postgres

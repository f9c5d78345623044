// A server that is reached over a network: with TLS whose certificate is checked, and a password by
// SCRAM.
#include "store/store_calls.h"  // first, see there

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <vector>

#include "base/random.h"
#include "postgres/postgres_job_store.h"
#include "server.h"
#include "support/certificates.h"

namespace gateway::postgres {
namespace {

using store::Begun;
using store::StoreCalls;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kPassword[] = "canaryPASSWORD7f1e2d";
constexpr char kWrongPassword[] = "canaryWRONG90ab3c";

// An address of this machine that nobody else uses; the port is the server's usual one.
std::string NewAddress() {
  const auto part = [](int bits) { return std::to_string(1 + (bits & 0xff) % 254); };
  const std::string random = RandomHex(3);
  const long bits = std::strtol(random.c_str(), nullptr, 16);
  return "127." + part(static_cast<int>(bits >> 16)) + "." + part(static_cast<int>(bits >> 8)) +
         "." + part(static_cast<int>(bits));
}

class TlsTest : public ::testing::Test {
 protected:
  // One server for all, with a certificate for `localhost`; callers over TCP must use TLS.
  static void SetUpTestSuite() {
    server_ = new PostgresServer;
    server_->Sql(std::string("ALTER ROLE gateway PASSWORD '") + kPassword + "'");
    server_->Write("pg_hba.conf",
                   "local all all trust\nhostssl all all 127.0.0.0/8 scram-sha-256\n");
    Show(authority_->Issue("DNS:localhost"));
    server_->Restart(Settings());
  }
  static std::vector<std::string> Settings() {
    return {"ssl = on", "listen_addresses = '" + *address_ + "'"};
  }
  static void TearDownTestSuite() { delete server_; }

  TlsTest() { server_->Empty(); }

  // Has the server show this certificate once it reads its files.
  static void Show(const test::Issued& issued) {
    server_->Write("server.crt", issued.certificate);
    server_->Write("server.key", issued.key);
  }
  // Goes on once `ready`, in a server that reads its settings again.
  static void Reload(const std::function<bool()>& ready) {
    server_->Sql("SELECT pg_reload_conf()");
    const auto until = std::chrono::steady_clock::now() + store::kPatience;
    while (!ready()) ASSERT_LT(std::chrono::steady_clock::now(), until);
  }

  std::string File(const std::string& name, const std::string& text) {
    const std::string path = folder_.path() + "/" + name;
    std::ofstream(path) << text;
    chmod(path.c_str(), 0600);
    return path;
  }
  // `more` is added to the URL; a password begins with a colon.
  std::string Url(const std::string& password, const std::string& more = "",
                  const std::string& hosts = "localhost") {
    return "postgres://gateway" + password + "@" + hosts + "/jobs?hostaddr=" + *address_ +
           "&sslmode=verify-full&sslrootcert=" + File("ca.pem", authority_->certificate()) + more;
  }
  std::string UrlWithPassword() { return Url(std::string(":") + kPassword); }

  static absl::StatusOr<std::unique_ptr<PostgresJobStore>> Open(const std::string& url) {
    return PostgresJobStore::Open({.conninfo = url, .gateway = "one", .address = "here"});
  }
  // Opens a store that must not open, and gives back what is said.
  static std::string Refusal(const std::string& url) {
    const auto opened = Open(url);
    EXPECT_FALSE(opened.ok());
    const std::string said(opened.status().message());
    EXPECT_THAT(said, AllOf(Not(HasSubstr(kPassword)), Not(HasSubstr(kWrongPassword))));
    return said;
  }
  static void ExpectServes(const absl::StatusOr<std::unique_ptr<PostgresJobStore>>& opened) {
    ASSERT_TRUE(opened.ok()) << opened.status();
    StoreCalls calls(**opened);
    ASSERT_TRUE(calls.Begin(Begun("j1", "r1"))->begun);
    EXPECT_TRUE(calls.FindRequest("acme", "r1").value().has_value());
    EXPECT_GE(
        server_->Number("SELECT count(*) FROM pg_stat_ssl WHERE ssl AND version >= 'TLSv1.2'"), 2)
        << "the writer, and who reads";
    EXPECT_THAT((*opened)->place(), Not(HasSubstr(kPassword)));
  }

  static inline PostgresServer* server_ = nullptr;
  static inline const auto authority_ = std::make_unique<test::Authority>();
  static inline const auto address_ = std::make_unique<std::string>(NewAddress());
  store::TemporaryDirectory folder_;
};

TEST_F(TlsTest, TheCertificateIsCheckedAndThePasswordIsThatOfTheUrl) {
  ExpectServes(Open(UrlWithPassword()));
}

TEST_F(TlsTest, ThePasswordMayBeInAFileOfItsOwn) {
  const std::string file =
      File("pass", std::string("localhost:*:jobs:gateway:") + kPassword + "\n");
  setenv("PGPASSFILE", file.c_str(), 1);
  ExpectServes(Open(Url("")));
  unsetenv("PGPASSFILE");
}

TEST_F(TlsTest, OfSeveralHostsTheOneThatAnswersIsTaken) {
  std::string url = Url(std::string(":") + kPassword, "", "localhost,localhost");
  const std::string one = "hostaddr=" + *address_;
  url.replace(url.find(one), one.size(), "hostaddr=" + NewAddress() + "," + *address_);
  ExpectServes(Open(url));
}

TEST_F(TlsTest, AServerOfAnotherAuthorityIsRefused) {
  const test::Authority other("Another CA");
  EXPECT_THAT(
      Refusal(UrlWithPassword() + "&sslrootcert=" + File("other.pem", other.certificate())),
      AllOf(HasSubstr("certificate verify failed"), HasSubstr("not issued by the authority"),
            HasSubstr("openssl s_client"), HasSubstr("host=localhost")));
}

TEST_F(TlsTest, AServerOfAnotherNameIsRefused) {
  EXPECT_THAT(Refusal(Url(std::string(":") + kPassword, "", "db.example.com")),
              HasSubstr("does not match host name \"db.example.com\""));
}

TEST_F(TlsTest, AnAuthorityThatIsNotThereIsNamed) {
  EXPECT_THAT(Refusal(UrlWithPassword() + "&sslrootcert=/nowhere/ca.pem"),
              HasSubstr("/nowhere/ca.pem"));
}

TEST_F(TlsTest, AWrongPasswordIsSaidToBeOne) {
  EXPECT_THAT(Refusal(Url(std::string(":") + kWrongPassword)),
              HasSubstr("password authentication failed for user \"gateway\""));
  const std::string file =
      File("pass", std::string("localhost:*:jobs:gateway:") + kWrongPassword + "\n");
  EXPECT_THAT(Refusal(Url("", "&passfile=" + file)), HasSubstr("from file \"" + file + "\""));
}

TEST_F(TlsTest, WithoutAPasswordItIsSaidWhereItBelongs) {
  const std::string none = "&passfile=" + File("none", "");
  EXPECT_THAT(Refusal(Url("", none)), AllOf(HasSubstr("--store-file"), HasSubstr("PGPASSFILE")));
}

TEST_F(TlsTest, NothingIsSaidWithoutTls) {
  EXPECT_THAT(Refusal(UrlWithPassword() + "&sslmode=disable"), HasSubstr("no encryption"));
}

// While it runs the certificate ends: nothing breaks before the connections do.
TEST_F(TlsTest, ACertificateThatHasExpiredIsAReasonToBeAway) {
  std::promise<std::string> away;
  std::promise<void> back;
  auto opened = PostgresJobStore::Open({.conninfo = UrlWithPassword(),
                                        .gateway = "one",
                                        .address = "here",
                                        .on_fatal = [](absl::Status why) { FAIL() << why; },
                                        .on_away = First(away),
                                        .on_back = [&back] { back.set_value(); },
                                        .away_wait = std::chrono::hours(1)});
  ASSERT_TRUE(opened.ok()) << opened.status();
  StoreCalls calls(**opened);
  ASSERT_TRUE(calls.Adopt(store::Accepted("j1", "p1")).ok());
  ASSERT_TRUE(calls.Find("acme", "j1").ok());  // who reads is connected now
  Show(authority_->Issue("DNS:localhost", /*seconds=*/-60));
  Reload([this] {
    return absl::IsUnavailable(
        PostgresJobStore::Open({.conninfo = UrlWithPassword(), .gateway = "two", .address = "here"})
            .status());
  });
  EXPECT_TRUE(calls.Find("acme", "j1").ok());
  EXPECT_THAT(Refusal(UrlWithPassword()), HasSubstr("it has expired"));
  server_->Sql(
      "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
      " AND backend_type = 'client backend'");
  jobs::JobRecord record = store::Accepted("j1", "p1");
  record.version = 1;
  store::Answer<absl::Status> updated;
  (*opened)->Update(record, {}, updated.Callback());
  EXPECT_THAT(away.get_future().get(),
              AllOf(HasSubstr("it has expired"), Not(HasSubstr(kPassword))));
  Show(authority_->Issue("DNS:localhost"));
  server_->Sql("SELECT pg_reload_conf()");
  back.get_future().get();
  EXPECT_TRUE(updated.Wait().ok());
}

// After a restart it is the password that keeps the store away, and that is said too.
TEST_F(TlsTest, AnotherReasonToBeAwayIsToldToo) {
  std::promise<std::string> away, password;
  std::promise<void> back;
  auto opened =
      PostgresJobStore::Open({.conninfo = UrlWithPassword(),
                              .gateway = "one",
                              .address = "here",
                              .on_fatal = [](absl::Status why) { FAIL() << why; },
                              .on_away =
                                  [first = First(away), second = First(password)](std::string why) {
                                    const bool of_password =
                                        absl::StrContains(why, "password authentication failed");
                                    (of_password ? second : first)(std::move(why));
                                  },
                              .on_back = [&back] { back.set_value(); },
                              .away_wait = std::chrono::hours(1)});
  ASSERT_TRUE(opened.ok()) << opened.status();
  StoreCalls calls(**opened);
  ASSERT_TRUE(calls.Adopt(store::Accepted("j1", "p1")).ok());
  server_->Sql("ALTER ROLE gateway PASSWORD 'another'");
  server_->Kill();
  jobs::JobRecord record = store::Accepted("j1", "p1");
  record.version = 1;
  store::Answer<absl::Status> updated;
  (*opened)->Update(record, {}, updated.Callback());
  EXPECT_THAT(away.get_future().get(), Not(HasSubstr("password")));
  server_->Start(Settings());
  EXPECT_THAT(password.get_future().get(), Not(HasSubstr(kPassword)));
  server_->Sql(absl::StrCat("ALTER ROLE gateway PASSWORD '", kPassword, "'"));
  back.get_future().get();
  EXPECT_TRUE(updated.Wait().ok());
}

}  // namespace
}  // namespace gateway::postgres

#include "app/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "app/parsing.h"
#include "app/pictory_flags.h"
#include "pictory/bindings.h"
#include "pictory/kinds.h"
#include "support/certificates.h"

namespace gateway::app {
namespace {

// Of the kinds that have a choice.
std::string Versions(const Parsed& parsed) {
  std::string versions;
  for (const pictory::KindFacts& kind : pictory::Kinds()) {
    if (pictory::VersionsOf(pictory::SubmitMaking(kind.kind)).size() == 1) continue;
    versions += VersionWord(*parsed.gateway, kind.kind);
  }
  return versions;
}

using ::testing::HasSubstr;

using ConfigTest = ParsingTest;

TEST_F(ConfigTest, DefaultsAreLoopbackAndTheSandbox) {
  const Parsed parsed = Parse({});
  ASSERT_TRUE(parsed.gateway.has_value()) << parsed.text;
  EXPECT_EQ(parsed.gateway->listen[0].ToString(), "127.0.0.1:50051");
  EXPECT_EQ(parsed.gateway->admin_listen->ToString(), "127.0.0.1:8081");
  EXPECT_TRUE(parsed.gateway->sandbox);
  EXPECT_TRUE(parsed.gateway->sandbox_by_default);
  EXPECT_FALSE(parsed.gateway->state_dir.empty());
}

TEST_F(ConfigTest, AKeyMeansTheRealService) {
  setenv("PICTORY_API_KEY", "pictai_x", 1);
  const Parsed parsed = Parse({});
  ASSERT_TRUE(parsed.gateway.has_value());
  EXPECT_FALSE(parsed.gateway->sandbox);
  EXPECT_EQ(parsed.gateway->api_key.Reveal(), "pictai_x");
}

TEST_F(ConfigTest, MoneyAndMemory) {
  Parsed parsed = Parse({});
  EXPECT_EQ(parsed.gateway->spending.per_day, 0) << "no limit unless set";
  EXPECT_EQ(parsed.gateway->retention.finished_kept, std::chrono::days(30));
  EXPECT_EQ(parsed.gateway->retention.request_ids_kept, std::chrono::days(7));
  parsed = Parse({"--max-submits-per-minute", "1", "--max-submits-per-day=2",
                  "--max-tenant-submits-per-minute=3", "--max-tenant-submits-per-day=4",
                  "--keep-jobs-days=90", "--keep-request-ids-days=8"});
  ASSERT_TRUE(parsed.gateway.has_value()) << parsed.text;
  EXPECT_EQ(parsed.gateway->spending.per_minute, 1);
  EXPECT_EQ(parsed.gateway->spending.per_day, 2);
  EXPECT_EQ(parsed.gateway->spending.tenant_per_minute, 3);
  EXPECT_EQ(parsed.gateway->spending.tenant_per_day, 4);
  EXPECT_EQ(parsed.gateway->retention.finished_kept, std::chrono::days(90));
  EXPECT_EQ(parsed.gateway->retention.request_ids_kept, std::chrono::days(8));
  for (const char* wrong : {"--max-submits-per-day=-1", "--max-submits-per-day=many",
                            "--keep-jobs-days=6", "--keep-request-ids-days=6"}) {
    EXPECT_EQ(Parse({wrong}).exit_code, 2) << wrong;
  }
}

TEST_F(ConfigTest, PollsInFlight) {
  EXPECT_EQ(Parse({}).gateway->max_polls_in_flight, limits::kPollsInFlightMax);
  EXPECT_EQ(Parse({"--max-polls-in-flight=1000"}).gateway->max_polls_in_flight, 1000);
  EXPECT_EQ(Parse({"--max-polls-in-flight=63"}).exit_code, 2) << "fewer than engines there may be";
}

TEST_F(ConfigTest, FlagsBeatVariablesAndVariablesBeatFiles) {
  const auto file = std::filesystem::path(testing::TempDir()) / "gateway.conf";
  std::ofstream(file) << "listen=127.0.0.1:1\nmax-watches=7\n";
  const std::string path = file.string();
  Parsed parsed = Parse({"--config", path.c_str()});
  ASSERT_TRUE(parsed.gateway.has_value()) << parsed.text;
  EXPECT_EQ(parsed.gateway->listen[0].address.port, 1);
  EXPECT_EQ(parsed.gateway->max_watches, 7);
  setenv("PICTORY_LISTEN", "127.0.0.1:2", 1);
  EXPECT_EQ(Parse({}).gateway->listen[0].address.port, 2);
  EXPECT_EQ(Parse({"--config", path.c_str()}).gateway->listen[0].address.port, 2);
  EXPECT_EQ(
      Parse({"--config", path.c_str(), "--listen", "127.0.0.1:3"}).gateway->listen[0].address.port,
      3);
  std::ofstream(file) << "no-such-key=1\n";
  EXPECT_EQ(Parse({"--config", path.c_str()}).exit_code, 2);
}

TEST_F(ConfigTest, TheHttpListenerIsOffAndHasTheRulesOfAll) {
  EXPECT_TRUE(Parse({}).gateway->http_listen.empty());
  const Parsed two = Parse({"--http-listen", "127.0.0.1:8080", "--http-listen", "unix:/run/p.sock",
                            "--http-allow-origin", "https://app.example.com"});
  ASSERT_TRUE(two.gateway.has_value()) << two.text;
  EXPECT_EQ(two.gateway->http_listen.size(), 2u);
  EXPECT_EQ(two.gateway->http_origins, std::vector<std::string>{"https://app.example.com"});
  EXPECT_THAT(Parse({"--sandbox", "--http-listen", "0.0.0.0:8080"}).text,
              testing::HasSubstr("--trust-network"));
  EXPECT_THAT(Parse({"--http-listen", "tls:127.0.0.1:8080"}).text,
              testing::HasSubstr("--tls-cert-file"));
  EXPECT_THAT(Parse({"--http-listen", "8080"}).text, testing::HasSubstr("--http-listen"));
  EXPECT_THAT(Parse({"--http-allow-origin", "https://a.example"}).text,
              testing::HasSubstr("has no use without --http-listen"));
  EXPECT_THAT(Parse({"--http-listen", "127.0.0.1:1", "--http-allow-origin", "*"}).text,
              testing::HasSubstr("is not an origin"));
}

TEST_F(ConfigTest, ReachableListenersNeedTrustAndCredentials) {
  EXPECT_EQ(Parse({"--listen", "0.0.0.0:1"}).exit_code, 2);
  EXPECT_EQ(Parse({"--sandbox", "--admin-listen", "0.0.0.0:1"}).exit_code, 2);
  EXPECT_TRUE(Parse({"--sandbox", "--listen", "0.0.0.0:1", "--trust-network"}).gateway.has_value());
}

class TlsConfigTest : public ConfigTest {
 protected:
  TlsConfigTest() {
    const test::Authority authority;
    const test::Issued issued = authority.Issue("DNS:gateway.example");
    certificate_ += SecretFile("config-cert.pem", issued.certificate);
    key_ += SecretFile("config-key.pem", issued.key);
    clients_ += SecretFile("config-clients.pem", authority.certificate());
  }
  std::string certificate_ = "--tls-cert-file=";
  std::string key_ = "--tls-key-file=";
  std::string clients_ = "--tls-client-ca-file=";
};

TEST_F(TlsConfigTest, ListenersMayBeOfSeveralKinds) {
  const Parsed parsed = Parse({"--listen=mtls:127.0.0.1:1", "--listen=unix:/run/x.sock",
                               certificate_.c_str(), key_.c_str(), clients_.c_str()});
  ASSERT_TRUE(parsed.gateway.has_value()) << parsed.text;
  EXPECT_EQ(parsed.gateway->listen[0].Target(), "https://127.0.0.1:1");
  EXPECT_EQ(parsed.gateway->listen[1].Target(), "unix:/run/x.sock");
  EXPECT_EQ(parsed.gateway->tls->facts.names, "DNS:gateway.example");
  EXPECT_FALSE(Parse({}).gateway->tls.has_value());
}

TEST_F(TlsConfigTest, WhatIsMissingOrNotUsedIsSaid) {
  const auto text = [](std::vector<const char*> args) { return Parse(std::move(args)).text; };
  const char* const certificate = certificate_.c_str();
  const char* const key = key_.c_str();
  const char* const clients = clients_.c_str();
  EXPECT_THAT(text({"--listen=tls:127.0.0.1:1"}), HasSubstr("--tls-cert-file: a listener"));
  EXPECT_THAT(text({"--listen=tls:127.0.0.1:1", certificate}), HasSubstr("--tls-key-file: "));
  EXPECT_THAT(text({"--listen=mtls:127.0.0.1:1", certificate, key}),
              HasSubstr("--tls-client-ca-file: an mtls: listener"));
  EXPECT_THAT(text({certificate}), HasSubstr("--tls-cert-file: no listener has TLS"));
  EXPECT_THAT(text({key}), HasSubstr("--tls-key-file: no listener has TLS"));
  EXPECT_THAT(text({"--listen=tls:127.0.0.1:1", certificate, key, clients}),
              HasSubstr("--tls-client-ca-file: no listener asks"));
  EXPECT_THAT(text({"--listen=tls:127.0.0.1:1", certificate, "--tls-key-file=/no/such"}),
              HasSubstr("--tls-key-file: /no/such cannot be read"));
  Set("PICTORY_TLS_CERT_FILE", "/no/such");
  EXPECT_THAT(text({"--listen=tls:127.0.0.1:1", key}),
              HasSubstr("PICTORY_TLS_CERT_FILE: /no/such"));
}

// An encrypted port is no less open to everybody than a plain one.
TEST_F(TlsConfigTest, OnlyCallersWhoProveWhoTheyAreNeedNoTrust) {
  const auto starts = [this](std::vector<const char*> args) {
    args.insert(args.end(), {"--sandbox", certificate_.c_str(), key_.c_str(), clients_.c_str()});
    return Parse(std::move(args)).gateway.has_value();
  };
  EXPECT_TRUE(starts({"--listen=mtls:0.0.0.0:1"}));
  EXPECT_FALSE(starts({"--listen=mtls:0.0.0.0:1", "--listen=tls:0.0.0.0:2"}));
  EXPECT_FALSE(starts({"--listen=mtls:0.0.0.0:1", "--listen=0.0.0.0:2"}));
  EXPECT_FALSE(starts({"--listen=mtls:0.0.0.0:1", "--admin-listen=0.0.0.0:2"}));
  EXPECT_TRUE(starts({"--listen=mtls:0.0.0.0:1", "--listen=tls:0.0.0.0:2", "--trust-network"}));
  EXPECT_TRUE(starts({"--listen=mtls:0.0.0.0:1", "--listen=unix:/run/x.sock"}));
  // But nobody beyond this machine gets the sandbox because a credential is missing.
  EXPECT_THAT(
      Parse({"--listen=mtls:0.0.0.0:1", certificate_.c_str(), key_.c_str(), clients_.c_str()}).text,
      HasSubstr("PICTORY_API_KEY"));
}

TEST_F(ConfigTest, WebhooksNeedAListenerAndAnAddressForPictory) {
  EXPECT_FALSE(Parse({}).gateway->webhook_listen.has_value()) << "off unless asked for";
  setenv("PICTORY_API_KEY", "pictai_x", 1);
  Parsed parsed = Parse(
      {"--webhook-listen", "0.0.0.0:8082", "--webhook-url", "https://hooks.example.com/pictory/"});
  ASSERT_TRUE(parsed.gateway.has_value()) << parsed.text;  // without --trust-network
  EXPECT_EQ(parsed.gateway->webhook_listen->ToString(), "0.0.0.0:8082");
  EXPECT_EQ(parsed.gateway->webhook_url, "https://hooks.example.com/pictory");
  setenv("PICTORY_WEBHOOK_LISTEN", "127.0.0.1:1", 1);
  setenv("PICTORY_WEBHOOK_URL", "http://127.0.0.1:2/x", 1);
  parsed = Parse({});
  ASSERT_TRUE(parsed.gateway.has_value()) << parsed.text;
  EXPECT_EQ(parsed.gateway->webhook_listen->port, 1);
  EXPECT_EQ(parsed.gateway->webhook_url, "http://127.0.0.1:2/x");
}

TEST_F(ConfigTest, AWebhookOptionAloneIsAnErrorThatNamesTheOther) {
  setenv("PICTORY_API_KEY", "pictai_x", 1);
  for (const auto& [alone, other] :
       {std::pair{"--webhook-listen=127.0.0.1:1", "--webhook-url"},
        std::pair{"--webhook-url=https://hooks.example.com", "--webhook-listen"}}) {
    const Parsed parsed = Parse({alone});
    EXPECT_EQ(parsed.exit_code, 2) << alone;
    EXPECT_NE(parsed.text.find(other), std::string::npos) << parsed.text;
  }
}

TEST_F(ConfigTest, TheSandboxNeedsNoAddressOfALoopbackListener) {
  const Parsed parsed = Parse({"--webhook-listen=127.0.0.1:0"});
  ASSERT_TRUE(parsed.gateway.has_value()) << parsed.text;
  EXPECT_TRUE(parsed.gateway->sandbox);
  EXPECT_EQ(parsed.gateway->webhook_url, "");
  const Parsed reachable = Parse({"--sandbox", "--webhook-listen=0.0.0.0:0"});
  EXPECT_NE(reachable.text.find("--webhook-url"), std::string::npos) << reachable.text;
  EXPECT_TRUE(Parse({"--sandbox", "--webhook-listen=0.0.0.0:0", "--webhook-url=http://127.0.0.1:9"})
                  .gateway.has_value());
  // A public address and no key: the key was forgotten.
  const Parsed forgotten =
      Parse({"--webhook-listen=127.0.0.1:1", "--webhook-url=https://hooks.example.com"});
  EXPECT_NE(forgotten.text.find("PICTORY_API_KEY"), std::string::npos) << forgotten.text;
}

TEST_F(ConfigTest, AWebhookUrlMustBeOnePictoryMayCall) {
  setenv("PICTORY_API_KEY", "pictai_x", 1);
  setenv("PICTORY_WEBHOOK_LISTEN", "127.0.0.1:1", 1);
  const std::string longest = "https://hooks.example.com/" + std::string(376, 'x');
  EXPECT_TRUE(Parse({"--webhook-url", longest.c_str()}).gateway.has_value());
  const std::string too_long = longest + "x";
  for (const char* wrong : {"http://hooks.example.com", "hooks.example.com", "ftp://h.example.com",
                            "https://u:p@hooks.example.com", "https://hooks.example.com/?a=b",
                            "https://hooks.example.com/#a", "https://", too_long.c_str()}) {
    const Parsed parsed = Parse({"--webhook-url", wrong});
    EXPECT_EQ(parsed.exit_code, 2) << wrong;
    EXPECT_NE(parsed.text.find("--webhook-url: "), std::string::npos) << parsed.text;
    EXPECT_EQ(parsed.text.find("base URL"), std::string::npos) << parsed.text;
  }
  EXPECT_NE(Parse({"--webhook-listen=here"}).text.find("--webhook-listen"), std::string::npos);
}

TEST_F(ConfigTest, AKeyFileMustBePrivateAndHoldAKey) {
  const auto file = std::filesystem::path(testing::TempDir()) / "key";
  std::ofstream(file) << "pictai_file\n";
  const std::string path = file.string();
  std::filesystem::permissions(file, std::filesystem::perms(0644));
  const Parsed open = Parse({"--api-key-file", path.c_str()});
  EXPECT_EQ(open.exit_code, 2);
  EXPECT_EQ(open.text.find("pictai_file"), std::string::npos);
  std::filesystem::permissions(file, std::filesystem::perms(0600));
  EXPECT_EQ(Parse({"--api-key-file", path.c_str()}).gateway->api_key.Reveal(), "pictai_file");
  std::ofstream(file) << "\n";
  EXPECT_EQ(Parse({"--api-key-file", path.c_str()}).exit_code, 2);
}

TEST_F(ConfigTest, ClientCredentialsFromFlagsFilesAndVariables) {
  const std::string secret = SecretFile("client_secret", "s3cret \r\n");
  const Parsed flags = Parse({"--auth=oauth", "--client-id", "id", "--client-secret-file",
                              secret.c_str(), "--user-id", "u7"});
  ASSERT_TRUE(flags.gateway.has_value()) << flags.text;
  EXPECT_EQ(flags.gateway->auth, pictory::AuthMode::kOAuth);
  EXPECT_EQ(flags.gateway->client_id, "id");
  EXPECT_EQ(flags.gateway->client_secret.Reveal(), "s3cret");
  EXPECT_EQ(flags.gateway->user_id, "u7");
  EXPECT_FALSE(flags.gateway->sandbox);

  setenv("PICTORY_AUTH", "oauth", 1);
  setenv("PICTORY_CLIENT_ID", "other", 1);
  setenv("PICTORY_CLIENT_SECRET", "from the environment", 1);
  EXPECT_NE(Parse({}).text.find("client secret"), std::string::npos);  // it has spaces
  setenv("PICTORY_CLIENT_SECRET", "environment", 1);
  const Parsed variables = Parse({});
  ASSERT_TRUE(variables.gateway.has_value()) << variables.text;
  EXPECT_EQ(variables.gateway->client_id, "other");
  EXPECT_EQ(variables.gateway->client_secret.Reveal(), "environment");
  EXPECT_EQ(variables.gateway->user_id, "");
  const Parsed both = Parse({"--client-secret-file", secret.c_str()});
  EXPECT_EQ(both.exit_code, 2) << "they may be two accounts";
  EXPECT_NE(both.text.find("PICTORY_CLIENT_SECRET"), std::string::npos) << both.text;
  EXPECT_NE(both.text.find("--client-secret-file"), std::string::npos) << both.text;
}

TEST_F(ConfigTest, IncompleteClientCredentialsNameWhatIsMissing) {
  struct Case {
    std::vector<const char*> args;
    bool id, secret;  // named as missing
  };
  setenv("PICTORY_API_KEY", "pictai_x", 1);  // no help
  for (const Case& c :
       {Case{{"--auth=oauth"}, true, true}, Case{{"--auth=oauth", "--client-id=i"}, false, true},
        Case{{"--auth=oauth", "--listen=0.0.0.0:1"}, true, true}}) {
    const Parsed parsed = Parse(c.args);
    EXPECT_EQ(parsed.exit_code, 2);
    EXPECT_EQ(parsed.text.find("PICTORY_CLIENT_ID") != std::string::npos, c.id) << parsed.text;
    EXPECT_EQ(parsed.text.find("PICTORY_CLIENT_SECRET") != std::string::npos, c.secret)
        << parsed.text;
  }
  setenv("PICTORY_CLIENT_SECRET", "s3cret", 1);
  const Parsed no_id = Parse({"--auth=oauth"});
  EXPECT_EQ(no_id.exit_code, 2);
  EXPECT_NE(no_id.text.find("PICTORY_CLIENT_ID"), std::string::npos);
  EXPECT_EQ(no_id.text.find("s3cret"), std::string::npos);
  EXPECT_TRUE(Parse({"--auth=oauth", "--sandbox"}).gateway.has_value());
  EXPECT_EQ(Parse({"--auth=password"}).exit_code, 2);
}

TEST_F(ConfigTest, ClientCredentialsWithoutTheirModeAreNotTheSandbox) {
  setenv("PICTORY_CLIENT_ID", "id", 1);
  const Parsed parsed = Parse({});
  EXPECT_EQ(parsed.exit_code, 2);
  EXPECT_NE(parsed.text.find("--auth=oauth"), std::string::npos);
  setenv("PICTORY_API_KEY", "pictai_x", 1);
  ASSERT_TRUE(Parse({}).gateway.has_value());
  EXPECT_EQ(Parse({}).gateway->auth, pictory::AuthMode::kKey);
}

TEST_F(ConfigTest, CredentialsThatNoHeaderCanHoldAreRefusedUnseen) {
  setenv("PICTORY_API_KEY", "pictai_x\r\nX-Other: 1", 1);
  const Parsed parsed = Parse({});
  EXPECT_EQ(parsed.exit_code, 2);
  EXPECT_EQ(parsed.text.find("pictai_x"), std::string::npos);
  unsetenv("PICTORY_API_KEY");
  EXPECT_EQ(Parse({"--sandbox", "--user-id", "two words"}).exit_code, 2);
}

TEST_F(ConfigTest, PathVersionsByKind) {
  EXPECT_EQ(Versions(Parse({})), "v2v2v2v2");
  EXPECT_EQ(Versions(Parse({"--api-version=v1"})), "v1v1v1v1");
  EXPECT_EQ(Versions(Parse({"--api-version.summarize=v1"})), "v2v2v2v1");
  EXPECT_EQ(Versions(Parse({"--api-version", "v1", "--api-version.render", "v2"})), "v1v2v1v1");
  EXPECT_EQ(Parse({"--api-version=v3"}).exit_code, 2);
  EXPECT_EQ(Parse({"--api-version.summarise=v1"}).exit_code, 2);
  setenv("PICTORY_API_VERSION_SUMMARIZE", "v1", 1);
  EXPECT_EQ(Versions(Parse({})), "v2v2v2v1");
  EXPECT_EQ(Versions(Parse({"--api-version=v2"})), "v2v2v2v1");
  EXPECT_EQ(Versions(Parse({"--api-version.summarize=v2"})), "v2v2v2v2");
  setenv("PICTORY_API_VERSION", "v1", 1);
  setenv("PICTORY_API_VERSION_RENDER", "v2", 1);
  EXPECT_EQ(Versions(Parse({})), "v1v2v1v1");
}

TEST_F(ConfigTest, PathVersionsOfAConfigFile) {
  const auto with = [](const std::string& text) { return SecretFile("versions.conf", text); };
  const std::string dotted =
      with("api-version.summarize=v1\napi-version.preview=v1\nmax-watches=7\n");
  const Parsed parsed = Parse({"--config", dotted.c_str()});
  ASSERT_TRUE(parsed.gateway.has_value()) << parsed.text;
  EXPECT_EQ(Versions(parsed), "v1v2v2v1");
  EXPECT_EQ(parsed.gateway->max_watches, 7);
  setenv("PICTORY_API_VERSION_SUMMARIZE", "v2", 1);
  EXPECT_EQ(Versions(Parse({"--config", dotted.c_str()})), "v1v2v2v2");
  unsetenv("PICTORY_API_VERSION_SUMMARIZE");
  const std::string general = with("api-version=v1\nauth=oauth\nclient-id=i\n");
  EXPECT_EQ(Versions(Parse({"--sandbox", "--config", general.c_str()})), "v1v1v1v1");
  EXPECT_EQ(Parse({"--config", general.c_str()}).exit_code, 2);  // no secret
  const std::string section = with("[api-version]\nsummarize=v1\n");
  ASSERT_TRUE(Parse({"--config", section.c_str()}).gateway.has_value())
      << Parse({"--config", section.c_str()}).text;
  EXPECT_EQ(Versions(Parse({"--config", section.c_str()})), "v2v2v2v1");
  const std::string wrong = with("api-version.summarise=v1\n");
  EXPECT_EQ(Parse({"--config", wrong.c_str()}).exit_code, 2);
  const std::string secret = with("client-secret=s3cret\n");
  const Parsed refused = Parse({"--config", secret.c_str()});
  EXPECT_EQ(refused.exit_code, 2);  // a secret has files and variables of its own
  EXPECT_EQ(refused.text.find("s3cret"), std::string::npos);
}

TEST_F(ConfigTest, HelpNamesEverySetting) {
  const std::string help = Parse({"--help"}).text;
  for (const char* word :
       {"--auth", "--client-id", "--client-secret-file", "--user-id", "--api-version",
        "--api-version.preview", "--api-version.render", "--api-version.transcribe",
        "--api-version.summarize", "PICTORY_CLIENT_SECRET", "PICTORY_API_VERSION_SUMMARIZE"}) {
    EXPECT_NE(help.find(word), std::string::npos) << word;
  }
}

TEST_F(ConfigTest, HelpAndVersionAreNoErrors) {
  EXPECT_EQ(Parse({"--help"}).exit_code, 0);
  EXPECT_NE(Parse({"--version"}).text.find("gRPC"), std::string::npos);
  EXPECT_EQ(Parse({"--bogus"}).exit_code, 2);
}

TEST_F(ConfigTest, TheSandboxCommandHasItsOwnOptions) {
  const Parsed parsed = Parse({"sandbox", "--listen", "[::1]:0", "--speed", "5"});
  ASSERT_TRUE(parsed.sandbox.has_value()) << parsed.text;
  EXPECT_EQ(parsed.sandbox->listen.ToString(), "[::1]:0");
  EXPECT_EQ(parsed.sandbox->speed, 5);
  EXPECT_EQ(parsed.sandbox->token_seconds, 3600);
  EXPECT_EQ(Parse({"sandbox", "--token-seconds", "2"}).sandbox->token_seconds, 2);
  EXPECT_EQ(Parse({"sandbox", "--token-seconds", "0"}).exit_code, 2);
  EXPECT_EQ(Parse({"sandbox", "--client-id", "me"}).sandbox->client_id, "me");
  EXPECT_NE(Parse({"sandbox", "--help"}).text.find("/sandbox/faults"), std::string::npos);
  EXPECT_EQ(Parse({"sandbox", "--listen", "x"}).exit_code, 2);
}

TEST(AddressTest, SaysWhatIsWrong) {
  for (const char* bad : {"", "host", ":1", "::1:5", "h:", "h:x", "h:65536", "h:-1", "http://h:1",
                          "h h:1", "h:1/", "[h]:1", "[::1]1", "::1", "1.2.3:1"}) {
    EXPECT_FALSE(ParseAddress(bad).ok()) << bad;
  }
  EXPECT_TRUE(ParseAddress("127.9.9.9:1")->IsLoopback());
  EXPECT_TRUE(ParseAddress("[::1]:1")->IsLoopback());
  EXPECT_FALSE(ParseAddress("10.0.0.1:1")->IsLoopback());
}

TEST(MemoryLimitTest, IsTheContainersUnlessSaid) {
  EXPECT_EQ(Parse({}).gateway->memory_limit_mib, 0);
  EXPECT_EQ(Parse({"--memory-limit-mib", "512"}).gateway->memory_limit_mib, 512);
  const Parsed little = Parse({"--memory-limit-mib", "63"});
  EXPECT_EQ(little.exit_code, 2);
  EXPECT_NE(little.text.find("memory-limit-mib"), std::string::npos) << little.text;
}

TEST_F(ConfigTest, AProxysPasswordIsNotTakenFromTheCommandLine) {
  const std::string secret = "http://me:hidden-pw@proxy.test:3128";
  for (const std::vector<std::string>& given :
       {std::vector<std::string>{"--proxy=" + secret}, {"--proxy", secret}}) {
    std::vector<const char*> flags;
    for (const std::string& flag : given) flags.push_back(flag.c_str());
    const Parsed parsed = Parse(flags);
    EXPECT_EQ(parsed.exit_code, 2);
    EXPECT_NE(parsed.text.find("PICTORY_PROXY"), std::string::npos) << parsed.text;
    EXPECT_EQ(parsed.text.find("hidden-pw"), std::string::npos) << parsed.text;
  }
  EXPECT_EQ(Parse({"--proxy=http://proxy.test:3128"}).gateway->proxy, "http://proxy.test:3128");
  const auto file = std::filesystem::path(testing::TempDir()) / "proxy.conf";
  std::ofstream(file) << "proxy=" << secret << "\n";
  EXPECT_EQ(Parse({"--config", file.c_str()}).gateway->proxy, secret);
  setenv("PICTORY_PROXY", secret.c_str(), 1);
  EXPECT_EQ(Parse({}).gateway->proxy, secret);
}

TEST_F(ConfigTest, AllowedHostsAreNames) {
  EXPECT_TRUE(Parse({}).gateway->allowed_hosts.empty());
  EXPECT_EQ(Parse({"--allowed-host=a.test", "--allowed-host", "b"}).gateway->allowed_hosts,
            (std::vector<std::string>{"a.test", "b"}));
  setenv("PICTORY_ALLOWED_HOST", "c.test, d.test", 1);
  EXPECT_EQ(Parse({}).gateway->allowed_hosts, (std::vector<std::string>{"c.test", "d.test"}));
  for (const char* wrong : {"a.test:80", "http://a.test", "a b", "*"}) {
    EXPECT_EQ(Parse({"--allowed-host", wrong}).exit_code, 2) << wrong;
  }
}

}  // namespace
}  // namespace gateway::app

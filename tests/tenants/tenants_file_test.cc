#include "tenants/tenants_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "base/limits.h"

namespace gateway::tenants {
namespace {

namespace v1 = ::pictory::jobs::v1;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kHash[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(TenantsFileTest, ReadsEverythingThereIs) {
  const auto read = ParseTenants(R"(
[accounts.films]
api_key_file = "/etc/films"
base_url = "https://api.example.com"
requests_per_second = 2
burst = 2.5
api_versions = { preview = "v1", render = "v2" }

[accounts.talks]
client_id = "id"
client_secret_file = "/etc/talks"
user_id = "u"

[tenants.acme]
account = "films"
roles = ["read", "submit"]
identities = ["san:spiffe://cluster.local/ns/video/sa/alice", "jwt:alice", "header:acme"]
[tenants.acme.limits]
submits_per_minute = 1
submits_per_day = 2
credits_per_day = 3
active_jobs = 4
watches = 5
bytes_in_flight = 6
requests_per_second = 7
archive_bytes = 8
[[tenants.acme.keys]]
name = "ci"
sha256 = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"
roles = ["read"]
[[tenants.acme.keys]]
name = "web.1"
sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

[tenants.other]

[jwt]
jwks_file = "/etc/jwks.json"
issuer = "https://issuer.example.com"
audience = "pictory"
algorithms = ["RS256", "ES256"]
tenant_claim = "tenant"
leeway_seconds = 10
)",
                                 "tenants.toml");
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->accounts.size(), 2u);
  const Account& films = read->accounts.at("films");
  EXPECT_EQ(films.name, "films");
  EXPECT_EQ(films.api_key_file, "/etc/films");
  EXPECT_EQ(films.base_url, "https://api.example.com");
  EXPECT_EQ(films.requests_per_second, 2);
  EXPECT_EQ(films.burst, 2.5);
  EXPECT_EQ(films.api_versions.at(v1::JOB_KIND_PREVIEW), v1::PATH_VERSION_V1);
  EXPECT_EQ(films.api_versions.at(v1::JOB_KIND_RENDER), v1::PATH_VERSION_V2);
  const Account& talks = read->accounts.at("talks");
  EXPECT_EQ(talks.client_id, "id");
  EXPECT_EQ(talks.client_secret_file, "/etc/talks");
  EXPECT_EQ(talks.user_id, "u");

  const Tenant& acme = read->tenants.at("acme");
  EXPECT_EQ(acme.name, "acme");
  EXPECT_EQ(acme.account, "films");
  EXPECT_EQ(acme.roles, Roles().With(Role::kRead).With(Role::kSubmit));
  EXPECT_EQ(acme.limits, (TenantLimits{1, 2, 3, 4, 5, 6, 8, 7}));
  EXPECT_THAT(acme.identities, ElementsAre("san:spiffe://cluster.local/ns/video/sa/alice",
                                           "jwt:alice", "header:acme"));
  ASSERT_EQ(acme.keys.size(), 2u);
  EXPECT_EQ(acme.keys[0].name, "ci");
  EXPECT_EQ(acme.keys[0].roles, Roles().With(Role::kRead));
  EXPECT_EQ(acme.keys[0].sha256[0], 0xba);
  EXPECT_EQ(acme.keys[0].sha256[31], 0xad);
  EXPECT_EQ(acme.keys[1].roles, acme.roles);

  const Tenant& other = read->tenants.at("other");
  EXPECT_EQ(other.account, kDefaultAccount);
  EXPECT_EQ(other.roles, Roles::All());
  EXPECT_EQ(other.limits, TenantLimits());

  ASSERT_TRUE(read->jwt.has_value());
  EXPECT_EQ(read->jwt->jwks_file, "/etc/jwks.json");
  EXPECT_EQ(read->jwt->issuer, "https://issuer.example.com");
  EXPECT_EQ(read->jwt->audience, "pictory");
  EXPECT_THAT(read->jwt->algorithms, ElementsAre("RS256", "ES256"));
  EXPECT_EQ(read->jwt->tenant_claim, "tenant");
  EXPECT_EQ(read->jwt->leeway, std::chrono::seconds(10));
  EXPECT_TRUE(read->identities);
}

TEST(TenantsFileTest, CallersMustProveWhoTheyAreAsSoonAsThereIsAWay) {
  const auto identities = [](const std::string& text) {
    const auto read = ParseTenants(text, "f");
    EXPECT_TRUE(read.ok()) << read.status();
    return read.ok() && read->identities;
  };
  EXPECT_FALSE(identities("[accounts.a]\napi_key_file='x'"));
  EXPECT_FALSE(identities("[tenants.default]\naccount='default'"));
  EXPECT_TRUE(identities("[tenants.acme]"));
  EXPECT_TRUE(identities("[tenants.default]\nidentities=['header:x']"));
  EXPECT_TRUE(identities(absl::StrCat("[[tenants.default.keys]]\nname='a'\nsha256='", kHash, "'")));
  EXPECT_TRUE(identities(
      "[jwt]\njwks_file='f'\nissuer='i'\naudience='a'\nalgorithms=['RS256']\ntenant_claim='t'"));
}

struct Row {
  std::string text;
  const char* line;  // what the message begins with, behind the file's name
  const char* says;
};

TEST(TenantsFileTest, SaysWhereAndWhatIsWrong) {
  const std::string key = absl::StrCat("name='k'\nsha256='", kHash, "'\n");
  const Row rows[] = {
      {"", "", "is empty"},
      {"# only a comment\n", "", "is empty"},
      {"[tenants.acme]\nroles = [\"read\"\n", ":", "is no TOML"},
      {"[tenants.acme]\n[{tenants.acme.keys]]\n", ":2:", "is no TOML"},
      {"[\n", ":1:", "is no TOML"},
      {"[tenants.acme]\n\xc3\xa4 = 1", ":2:", "a letter beyond ASCII"},
      {"[tenants.acme]\naccount = \"\\\"\" \xc8\xbb", ":2:", "a letter beyond ASCII"},
      {"[tenants.acme]\naccount = \"\"\"x\"\"\"", ":2:", "on one line"},
      {"[tenants.acme]\naccount = 0-'\xc3\xa4'", ":2:", "a letter beyond ASCII"},
      {"# \xc3\xa4 '''\n[tenants.\"\\u00e4\"]", ":2:", "cannot be a name"},
      {"x = 1", ":1:", "x: there is no such setting"},
      {"[tenant.acme]", ":1:", "did you mean tenants?"},
      {"[tenants.acme]\n\nacount = 'x'",
       ":3:", "tenants.acme.acount: there is no such setting; did you mean account?"},
      {"tenants = 3", ":1:", "tenants: must be tables"},
      {"[tenants]\nacme = 3", ":2:", "tenants.acme: must be a table"},
      {"[tenants.Acme]", ":1:", "\"Acme\" cannot be a name"},
      {"[tenants.\"a b\"]", ":1:", "cannot be a name"},
      {"[tenants.\"\"]", ":1:", "cannot be a name"},
      {"[tenants.\"-a\"]", ":1:", "cannot be a name"},
      {absl::StrCat("[tenants.", std::string(64, 'a'), "]"), ":1:", "cannot be a name"},
      {"[accounts.films]\napi_key_file='f'\n[tenants.acme]\naccount = 'film'",
       ":4:", "tenants.acme.account: there is no account \"film\"; did you mean films?"},
      {"[tenants.acme]\naccount = ['films']", ":2:", "must be a text in quotes"},
      {"[tenants.acme]\naccount = ''", ":2:", "is empty"},
      {"[tenants.acme]\naccount = \"a\\nb\"", ":2:", "has a control character"},
      {"[tenants.acme]\nroles = 'read'", ":2:", "must be an array"},
      {"[tenants.acme]\nroles = []", ":2:", "names no role"},
      {"[tenants.acme]\nroles = ['reed']", ":2:", "there is no role \"reed\"; did you mean read?"},
      {"[tenants.acme]\nroles = ['read', 3]", ":2:", "tenants.acme.roles[1]: must be a text"},
      {"[tenants.acme.limits]\nwatches = -1", ":2:", "must be a whole number from 0"},
      {"[tenants.acme.limits]\nwatches = 1.5", ":2:", "must be a whole number from 0"},
      {"[tenants.acme.limits]\nsubmits_per_day = 9999999999", ":2:", "must be a whole number"},
      {"[tenants.acme]\nlimits = 3", ":2:", "must be a table"},
      {"[[tenants.acme.keys]]\nsha256='00'", ":1:", "name: is missing"},
      {"[[tenants.acme.keys]]\nname='A'\nsha256='00'", ":1:", "name: must be"},
      {"[[tenants.acme.keys]]\nname='a'", ":1:", "sha256: must be the 64 hex digits"},
      {"[[tenants.acme.keys]]\nname='a'\nsha256='zz'", ":1:", "sha256: must be the 64 hex digits"},
      {"[tenants.acme]\nkeys = ['pgk_x']", ":2:", "tenants.acme.keys[0]: must be a table"},
      {absl::StrCat("[[tenants.acme.keys]]\n", key, "[[tenants.acme.keys]]\n", key),
       ":4:", "the tenant has two keys \"k\""},
      {absl::StrCat("[[tenants.a.keys]]\n", key, "[[tenants.b.keys]]\n", key),
       ":4:", "is the same key as a.k"},
      {absl::StrCat("[tenants.a]\nroles=['read']\n[[tenants.a.keys]]\n", key, "roles=['operate']"),
       ":6:", "operate is no role of the tenant itself"},
      {"[tenants.acme]\nidentities = ['alice']", ":2:", "must be san:NAME"},
      {"[tenants.acme]\nidentities = ['san:']", ":2:", "must be san:NAME"},
      {"[tenants.a]\nidentities = ['jwt:x']\n[tenants.b]\nidentities = ['jwt:x']",
       ":4:", "\"jwt:x\" belongs to a already"},
      {"[tenants.a]\nidentities = ['jwt:x', 'jwt:x']", ":2:", "belongs to a already"},
      {absl::StrCat("[tenants.a]\nidentities = ['jwt:", std::string(2000, 'x'), "']"),
       ":2:", "is longer than"},
      {"[accounts.a]\nuser_id = 'u'", ":1:", "has no credentials"},
      {"[accounts.a]\nclient_id = 'u'", ":1:", "needs client_secret_file beside client_id"},
      {"[accounts.a]\nclient_secret_file = 'u'", ":1:", "needs client_id beside"},
      {"[accounts.a]\napi_key_file='f'\nclient_id = 'u'", ":1:", "keep one of them"},
      {"[accounts.a]\napi_key_file='f'\nburst=0", ":3:", "must be a number from 0.01"},
      {"[accounts.a]\napi_key_file='f'\nburst=nan", ":3:", "must be a number from 0.01"},
      {"[accounts.a]\napi_key_file='f'\nburst='1'", ":3:", "must be a number from 0.01"},
      {"[accounts.a]\napi_key_file='f'\n[accounts.a.api_versions]\nprevew='v1'",
       ":4:", "did you mean preview?"},
      {"[accounts.a]\napi_key_file='f'\n[accounts.a.api_versions]\npreview='v3'",
       ":4:", "must be \"v1\" or \"v2\""},
      {"[tenants.a.notify]\nurl='https://h.example.com/'", ":1:", "needs the file of a secret"},
      {"[tenants.a.notify]\nsecret_files=['f']", ":1:", "needs a URL, or hosts"},
      {"[tenants.a.notify]\nsecret_files=['a', 'b', 'c']\nhosts=['h']", ":1:", "or of two"},
      {"[tenants.a.notify]\nsecret_files=['f']\nurl='http://h.example.com/'",
       ":1:", "must begin with https"},
      {"[tenants.a.notify]\nsecret_files=['f']\nurl='https://10.0.0.5/'", ":1:", "IP address"},
      {"[tenants.a.notify]\nhosts=['https://h.example.com']",
       ":2:", "must be a host, or host:port"},
      {"[tenants.a.notify]\nhosts=['h.example.com:0']", ":2:", "must be a host, or host:port"},
      {"[tenants.a.notify]\nstates=['running']", ":2:", "\"running\" must be one of succeeded"},
      {"[tenants.a.notify]\nurls='x'", ":2:", "did you mean url?"},
      {"[jwt]\nissuer='i'\naudience='a'\nalgorithms=['RS256']", ":1:", "jwt: needs jwks_file"},
      {"[jwt]\njwks_file='f'\naudience='a'\nalgorithms=['RS256']", ":1:", "jwt: needs issuer"},
      {"[jwt]\njwks_file='f'\nissuer='i'\nalgorithms=['RS256']", ":1:", "jwt: needs audience"},
      {"[jwt]\njwks_file='f'\nissuer='i'\naudience='a'", ":1:", "jwt: needs algorithms"},
      {"[jwt]\nalgorithms=['none']", ":2:", "\"none\" must be one of RS256"},
      {"[jwt]\nalgorithms=['HS256']", ":2:", "must be one of RS256"},
      {"[jwt]\nleeway_seconds=61", ":2:", "must be a whole number from 0 to 60"},
  };
  for (const Row& row : rows) {
    const auto read = ParseTenants(row.text, "tenants.toml");
    const std::string message(read.status().message());
    EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument) << row.text;
    EXPECT_THAT(message, StartsWith(absl::StrCat("tenants.toml", row.line))) << row.text;
    EXPECT_THAT(message, HasSubstr(row.says)) << row.text;
  }
}

TEST(TenantsFileTest, SaysWhereJobsAreTold) {
  const auto read = ParseTenants(R"([tenants.acme.notify]
url = "https://10.0.0.5/hook"
hosts = ["Hooks.example.com", "hooks.example.com:8443"]
inside_hosts = ["10.0.0.5"]
secret_files = ["/new", "/old"]
states = ["failed", "unconfirmed"]
[tenants.other]
)",
                                 "tenants.toml");
  ASSERT_TRUE(read.ok()) << read.status();
  const NotifyRules& rules = read->tenants.at("acme").notify;
  EXPECT_EQ(rules.url, "https://10.0.0.5/hook");
  EXPECT_THAT(rules.hosts, ElementsAre("hooks.example.com:443", "hooks.example.com:8443"));
  EXPECT_THAT(rules.inside_hosts, ElementsAre("10.0.0.5:443"));
  EXPECT_THAT(rules.secret_files, ElementsAre("/new", "/old"));
  EXPECT_THAT(rules.states, ElementsAre(v1::JOB_STATE_UNCONFIRMED, v1::JOB_STATE_FAILED));
  EXPECT_TRUE(read->tenants.at("other").notify.empty());
}

TEST(TenantsFileTest, ThereAreBounds) {
  EXPECT_FALSE(ParseTenants(std::string(limits::kTenantsFileMaxBytes + 1, '#'), "f").ok());
  std::string accounts;
  for (std::size_t i = 0; i <= limits::kAccountsMax; ++i) {
    absl::StrAppend(&accounts, "[accounts.a", i, "]\napi_key_file='f'\n");
  }
  EXPECT_THAT(std::string(ParseTenants(accounts, "f").status().message()),
              HasSubstr("has 65 accounts; there may be 64"));
  std::string tenants;
  for (std::size_t i = 0; i < limits::kTenantsMax; ++i) {
    absl::StrAppend(&tenants, "[tenants.a", i, "]\n");
  }
  EXPECT_TRUE(ParseTenants(tenants, "f").ok());
  EXPECT_THAT(std::string(ParseTenants(tenants + "[tenants.b]", "f").status().message()),
              HasSubstr("there may be 1000"));
  std::string identities = "[tenants.a]\nidentities=[";
  for (std::size_t i = 0; i <= limits::kIdentitiesMax; ++i) {
    absl::StrAppend(&identities, "'jwt:", i, "',");
  }
  EXPECT_THAT(std::string(ParseTenants(identities + "]", "f").status().message()),
              HasSubstr("one identity too many"));
}

TEST(TenantsFileTest, NamesCanBeLabels) {
  EXPECT_TRUE(IsTenantName("a"));
  EXPECT_TRUE(IsTenantName("9-a_b.c"));
  EXPECT_TRUE(IsTenantName(std::string(63, 'a')));
  for (const char* name : {"", "-a", ".a", "_a", "A", "a b", "ä", "a/b", "a\n"}) {
    EXPECT_FALSE(IsTenantName(name)) << name;
  }
}

TEST(TenantsFileTest, CallersMayPay) {
  const auto read = ParseTenants("[tenants.a]\ncallers_pay = true\n[tenants.b]\n", "t.toml");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(read->tenants.at("a").callers_pay);
  EXPECT_FALSE(read->tenants.at("b").callers_pay);
  const auto why = [](const std::string& text) {
    return std::string(ParseTenants(text, "t.toml").status().message());
  };
  EXPECT_THAT(why("[tenants.a]\ncallers_pay = 1\n"),
              HasSubstr("t.toml:2: tenants.a.callers_pay: must be true or false"));
  EXPECT_THAT(why("[tenants.a]\naccount = \"default\"\ncallers_pay = true\n"),
              HasSubstr("the tenant has an account, too"));
  EXPECT_THAT(why("[accounts.key-0123456789abcdef0123456789abcdef]\napi_key_file = \"f\"\n"),
              HasSubstr("is called like the accounts of callers' own keys"));
}

// Who may decide over unconfirmed jobs of an account sees those of all its tenants.
TEST(TenantsFileTest, WhoSharesAnAccountHasOperateByNameOnly) {
  const auto read = ParseTenants(R"(
[accounts.east]
api_key_file = "f"
[tenants.shares]
[tenants.shares_too]
account = "default"
[tenants.by_name]
roles = ["read", "operate"]
[tenants.alone]
account = "east"
[tenants.pays]
callers_pay = true
[tenants.pays_too]
callers_pay = true
)",
                                 "t.toml");
  ASSERT_TRUE(read.ok()) << read.status();
  const Roles some = Roles().With(Role::kRead).With(Role::kSubmit);
  EXPECT_EQ(read->tenants.at("shares").roles, some);
  EXPECT_EQ(read->tenants.at("shares_too").roles, some);
  EXPECT_EQ(read->tenants.at("by_name").roles, Roles().With(Role::kRead).With(Role::kOperate));
  for (const char* own : {"alone", "pays", "pays_too"}) {
    EXPECT_EQ(read->tenants.at(own).roles, Roles::All()) << own;
  }
  const auto key =
      ParseTenants(absl::StrCat("[tenants.b]\n[[tenants.a.keys]]\nname = 'k'\nsha256 = '", kHash,
                                "'\nroles = ['operate']\n"),
                   "t.toml");
  EXPECT_THAT(std::string(key.status().message()),
              HasSubstr("shares an account with others has operate only by name"));
}

}  // namespace
}  // namespace gateway::tenants

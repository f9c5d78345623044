#include "tenants/tenants_file.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/limits.h"
#include "pictory/kinds.h"
#include "tenants/api_key.h"
#include "tenants/caller_key.h"
#include "tenants/toml_reader.h"

namespace gateway::tenants {
namespace {

namespace v1 = ::pictory::jobs::v1;
using absl::Status;

constexpr std::pair<std::string_view, Role> kRoles[] = {
    {"read", Role::kRead}, {"submit", Role::kSubmit}, {"operate", Role::kOperate}};
constexpr std::string_view kAlgorithms[] = {"RS256", "RS384", "RS512", "PS256", "PS384",
                                            "PS512", "ES256", "ES384", "ES512"};
constexpr std::string_view kIdentityKinds[] = {"san:", "jwt:", "header:"};

std::string Text(std::string_view text) { return std::string(text); }

// One file on the way to a document. Its functions read one node each, and return what is wrong.
class File : private TomlReader {
 public:
  explicit File(std::string_view name) : TomlReader(name) {}

  absl::StatusOr<Tenants> Read(std::string_view text);

 private:
  // Reads a table of tables with names of the operator's own.
  Status Named(const Node& node, const std::string& path, std::size_t max, const char* what,
               const std::function<Status(const std::string& name, const Node&,
                                          const std::string& path)>& take) const;
  Take RolesOf(Roles& out, Roles most, const char* too_many) const;

  Status ReadAccount(const std::string& name, const Node& node, const std::string& path);
  Status ReadVersions(const Node& node, const std::string& path, Account& account) const;
  void CountTenants(const Node& node);
  Status ReadTenant(const std::string& name, const Node& node, const std::string& path);
  Status ReadKey(const Node& node, const std::string& path, Tenant& tenant);
  Status ReadIdentity(const Node& node, const std::string& path, Tenant& tenant);
  Status ReadNotify(const Node& node, const std::string& path, NotifyRules& rules) const;
  Status ReadJwt(const Node& node, const std::string& path);

  Tenants tenants_;
  std::map<std::string, int> tenants_of_;          // by account: how many have it
  std::map<Sha256, std::string> keys_;             // whose each is
  std::map<std::string, std::string> identities_;  // the same
};

Status File::Named(const Node& node, const std::string& path, std::size_t max, const char* what,
                   const std::function<Status(const std::string& name, const Node&,
                                              const std::string& path)>& take) const {
  const toml::table* const table = node.as_table();
  if (table == nullptr) return Wrong(node, path, ": must be tables, [", path, ".NAME]");
  if (table->size() > max) {
    return Wrong(node, path, ": has ", table->size(), " ", what, "; there may be ", max);
  }
  for (const auto& [key, value] : *table) {
    const std::string name(key.str());
    if (!IsTenantName(name)) {
      return Wrong(value, path, ": ", Shown(name),
                   " cannot be a name; use 1 to 63 of a-z, 0-9, '-', '_' and '.', beginning with "
                   "a letter or digit");
    }
    if (Status read = take(name, value, absl::StrCat(path, ".", name)); !read.ok()) return read;
  }
  return absl::OkStatus();
}

File::Take File::RolesOf(Roles& out, Roles most, const char* too_many) const {
  return [this, &out, most, too_many](const Node& node, const std::string& path) -> Status {
    Roles roles;
    Status read = Each(node, path, [&](const Node& element, const std::string& at) -> Status {
      std::string word;
      if (Status text = String(word)(element, at); !text.ok()) return text;
      for (const auto& [name, role] : kRoles) {
        if (word != name) continue;
        if (!most.Has(role)) return Wrong(element, at, ": ", Text(name), too_many);
        roles = roles.With(role);
        return absl::OkStatus();
      }
      return Wrong(element, at, ": there is no role ", Shown(word),
                   DidYouMean(word, {"read", "submit", "operate"}));
    });
    if (!read.ok()) return read;
    if (roles.empty()) return Wrong(node, path, ": names no role; name one, or leave it out");
    out = roles;
    return absl::OkStatus();
  };
}

Status File::ReadAccount(const std::string& name, const Node& node, const std::string& path) {
  if (IsAccountOfKey(name)) {
    return Wrong(node, path,
                 ": is called like the accounts of callers' own keys; take another name");
  }
  Account& account = tenants_.accounts[name];
  account.name = name;
  Status read = Members(
      node, path,
      {{"api_key_file", String(account.api_key_file)},
       {"client_id", String(account.client_id)},
       {"client_secret_file", String(account.client_secret_file)},
       {"user_id", String(account.user_id)},
       {"base_url", String(account.base_url)},
       {"api_versions", [&](const Node& versions,
                            const std::string& at) { return ReadVersions(versions, at, account); }},
       {"requests_per_second", Decimal(account.requests_per_second)},
       {"burst", Decimal(account.burst)}});
  if (!read.ok()) return read;
  const bool key = !account.api_key_file.empty();
  const bool id = !account.client_id.empty();
  const bool secret = !account.client_secret_file.empty();
  if (key && (id || secret)) {
    return Wrong(node, path, ": has an API key and client credentials; keep one of them");
  }
  if (id != secret) {
    return Wrong(node, path, ": needs ", id ? "client_secret_file" : "client_id", " beside ",
                 id ? "client_id" : "client_secret_file");
  }
  if (!key && !id && name != kDefaultAccount) {
    return Wrong(node, path,
                 ": has no credentials; give it api_key_file, or client_id and "
                 "client_secret_file");
  }
  return absl::OkStatus();
}

Status File::ReadVersions(const Node& node, const std::string& path, Account& account) const {
  std::vector<Member> members;
  for (const pictory::KindFacts& kind : pictory::Kinds()) {
    members.push_back(
        {std::string(kind.word),
         [this, &account, kind = kind.kind](const Node& value, const std::string& at) -> Status {
           std::string word;
           if (Status text = String(word)(value, at); !text.ok()) return text;
           if (word != "v1" && word != "v2") {
             return Wrong(value, at, ": must be \"v1\" or \"v2\"");
           }
           account.api_versions[kind] = word == "v1" ? v1::PATH_VERSION_V1 : v1::PATH_VERSION_V2;
           return absl::OkStatus();
         }});
  }
  return Members(node, path, members);
}

// The account of a tenant's table; "" if its callers pay, or it is none.
std::string AccountIn(const toml::node& node) {
  const toml::table* const tenant = node.as_table();
  if (tenant == nullptr || (*tenant)["callers_pay"].value_or(false)) return "";
  return (*tenant)["account"].value_or(std::string(kDefaultAccount));
}

void File::CountTenants(const Node& node) {
  const toml::table* const table = node.as_table();
  if (table == nullptr) return;
  for (const auto& [name, tenant] : *table) ++tenants_of_[AccountIn(tenant)];
}

Status File::ReadTenant(const std::string& name, const Node& node, const std::string& path) {
  Tenant& tenant = tenants_.tenants[name];
  tenant.name = name;
  // Who may decide over unconfirmed jobs of an account sees those of all its tenants.
  const std::string shared = AccountIn(node);
  if (!shared.empty() && tenants_of_[shared] > 1) {
    tenant.roles = Roles().With(Role::kRead).With(Role::kSubmit);
  }
  TenantLimits& most = tenant.limits;
  return Members(
      node, path,
      {{"account",
        [&](const Node& value, const std::string& at) -> Status {
          if (Status read = String(tenant.account)(value, at); !read.ok()) return read;
          if (tenant.account == kDefaultAccount) return absl::OkStatus();
          if (tenants_.accounts.contains(tenant.account)) return absl::OkStatus();
          std::vector<std::string> known = {kDefaultAccount};
          for (const auto& [account, unused] : tenants_.accounts) known.push_back(account);
          return Wrong(value, at, ": there is no account ", Shown(tenant.account),
                       DidYouMean(tenant.account, known));
        }},
       {"callers_pay",
        [&](const Node& value, const std::string& at) -> Status {
          if (Status read = Switch(tenant.callers_pay)(value, at); !read.ok()) return read;
          if (!tenant.callers_pay || node.as_table()->get("account") == nullptr) {
            return absl::OkStatus();
          }
          return Wrong(value, at, ": the tenant has an account, too; keep one of them");
        }},
       {"roles", RolesOf(tenant.roles, Roles::All(), "")},
       {"limits",
        [&](const Node& value, const std::string& at) {
          return Members(
              value, at,
              {{"submits_per_minute", Whole(most.submits_per_minute, limits::kSpendingLimitMax)},
               {"submits_per_day", Whole(most.submits_per_day, limits::kSpendingLimitMax)},
               {"credits_per_day", Whole(most.credits_per_day, limits::kTenantLimitMax)},
               {"active_jobs", Whole(most.active_jobs, limits::kTenantLimitMax)},
               {"watches", Whole(most.watches, limits::kTenantLimitMax)},
               {"bytes_in_flight", Whole(most.bytes_in_flight, limits::kTenantBytesMax)},
               {"archive_bytes", Whole(most.archive_bytes, limits::kTenantArchiveBytesMax)},
               {"requests_per_second", Whole(most.requests_per_second, limits::kTenantLimitMax)}});
        }},
       {"keys",
        [&](const Node& value, const std::string& at) {
          return Each(value, at, [&](const Node& key, const std::string& key_at) {
            return ReadKey(key, key_at, tenant);
          });
        }},
       {"identities",
        [&](const Node& value, const std::string& at) {
          return Each(value, at, [&](const Node& identity, const std::string& identity_at) {
            return ReadIdentity(identity, identity_at, tenant);
          });
        }},
       {"notify", [&](const Node& value, const std::string& at) {
          return ReadNotify(value, at, tenant.notify);
        }}});
}

Status File::ReadNotify(const Node& node, const std::string& path, NotifyRules& rules) const {
  const auto hosts = [this](std::vector<std::string>& out) -> Take {
    return [this, &out](const Node& value, const std::string& at) {
      return Each(value, at, [&](const Node& element, const std::string& element_at) -> Status {
        std::string word;
        if (Status text = String(word)(element, element_at); !text.ok()) return text;
        out.push_back(HostAndPort(word));
        if (!out.back().empty()) return absl::OkStatus();
        return Wrong(element, element_at, ": ", Shown(word),
                     " must be a host, or host:port where the port is not 443");
      });
    };
  };
  const auto files = [&](const Node& value, const std::string& at) {
    return Each(value, at, [&](const Node& element, const std::string& element_at) {
      return String(rules.secret_files.emplace_back())(element, element_at);
    });
  };
  const auto states = [&](const Node& value, const std::string& at) {
    rules.states.clear();
    return Each(value, at, [&](const Node& element, const std::string& element_at) -> Status {
      std::string word;
      if (Status text = String(word)(element, element_at); !text.ok()) return text;
      const v1::JobState state = StateToTell(word);
      if (state == v1::JOB_STATE_UNSPECIFIED) {
        return Wrong(element, element_at, ": ", Shown(word), " must be one of ", kStatesToTell);
      }
      rules.states.insert(state);
      return absl::OkStatus();
    });
  };
  Status read = Members(node, path,
                        {{"url", String(rules.url)},
                         {"hosts", hosts(rules.hosts)},
                         {"inside_hosts", hosts(rules.inside_hosts)},
                         {"secret_files", files},
                         {"states", states}});
  if (!read.ok()) return read;
  const Status check = CheckNotifyRules(rules);
  return check.ok() ? check : Wrong(node, path, ": ", std::string(check.message()));
}

Status File::ReadKey(const Node& node, const std::string& path, Tenant& tenant) {
  ApiKey key;
  key.roles = tenant.roles;
  std::string hex;
  Status read =
      Members(node, path,
              {{"name", String(key.name)},
               {"sha256", String(hex)},
               {"roles",
                RolesOf(key.roles, tenant.roles,
                        " is no role of the tenant itself; name it in the tenant's roles (one that "
                        "shares an account with others has operate only by name)")}});
  if (!read.ok()) return read;
  if (!IsTenantName(key.name)) {
    return Wrong(node, path, ".name: ",
                 key.name.empty() ? "is missing; the log names the key by it"
                                  : "must be 1 to 63 of a-z, 0-9, '-', '_' and '.'");
  }
  for (const ApiKey& other : tenant.keys) {
    if (other.name == key.name) {
      return Wrong(node, path, ".name: the tenant has two keys ", Shown(key.name));
    }
  }
  const std::optional<Sha256> hash = HashOf(hex);
  if (!hash) {
    return Wrong(node, path,
                 ".sha256: must be the 64 hex digits that pictory-gateway keygen prints");
  }
  key.sha256 = *hash;
  const std::string whose = absl::StrCat(tenant.name, ".", key.name);
  const auto [other, added] = keys_.emplace(key.sha256, whose);
  if (!added) {
    return Wrong(node, path, ": is the same key as ", other->second,
                 "; make another with pictory-gateway keygen");
  }
  if (keys_.size() > limits::kApiKeysMax) {
    return Wrong(node, path, ": is one key too many; there may be ", limits::kApiKeysMax);
  }
  tenant.keys.push_back(std::move(key));
  return absl::OkStatus();
}

Status File::ReadIdentity(const Node& node, const std::string& path, Tenant& tenant) {
  std::string identity;
  if (Status read = String(identity)(node, path); !read.ok()) return read;
  const bool known =
      std::any_of(std::begin(kIdentityKinds), std::end(kIdentityKinds), [&](std::string_view kind) {
        return identity.starts_with(kind) && identity.size() > kind.size();
      });
  if (!known) {
    return Wrong(node, path, ": ", Shown(identity),
                 " must be san:NAME (of a certificate), jwt:SUBJECT or header:VALUE");
  }
  if (identity.size() > limits::kIdentityMaxBytes) {
    return Wrong(node, path, ": is longer than ", limits::kIdentityMaxBytes, " bytes");
  }
  const auto [other, added] = identities_.emplace(identity, tenant.name);
  if (!added) {
    return Wrong(node, path, ": ", Shown(identity), " belongs to ", other->second, " already");
  }
  if (identities_.size() > limits::kIdentitiesMax) {
    return Wrong(node, path, ": is one identity too many; there may be ", limits::kIdentitiesMax);
  }
  tenant.identities.push_back(std::move(identity));
  return absl::OkStatus();
}

Status File::ReadJwt(const Node& node, const std::string& path) {
  JwtRules& rules = tenants_.jwt.emplace();
  std::int64_t leeway = rules.leeway.count();
  Status read = Members(
      node, path,
      {{"jwks_file", String(rules.jwks_file)},
       {"issuer", String(rules.issuer)},
       {"audience", String(rules.audience)},
       {"algorithms",
        [&](const Node& value, const std::string& at) {
          return Each(value, at, [&](const Node& element, const std::string& element_at) -> Status {
            std::string word;
            if (Status text = String(word)(element, element_at); !text.ok()) return text;
            const bool known = std::find(std::begin(kAlgorithms), std::end(kAlgorithms), word) !=
                               std::end(kAlgorithms);
            if (!known) {
              return Wrong(element, element_at, ": ", Shown(word),
                           " must be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, "
                           "ES384 and ES512");
            }
            rules.algorithms.push_back(word);
            return absl::OkStatus();
          });
        }},
       {"tenant_claim", String(rules.tenant_claim)},
       {"leeway_seconds", Whole(leeway, limits::kJwtLeewayMax.count())}});
  if (!read.ok()) return read;
  rules.leeway = std::chrono::seconds(leeway);
  for (const auto& [name, missing] :
       {std::pair{"jwks_file", rules.jwks_file.empty()}, std::pair{"issuer", rules.issuer.empty()},
        std::pair{"audience", rules.audience.empty()},
        std::pair{"algorithms", rules.algorithms.empty()}}) {
    if (missing) return Wrong(node, path, ": needs ", name);
  }
  return absl::OkStatus();
}

absl::StatusOr<Tenants> File::Read(std::string_view text) {
  absl::StatusOr<toml::table> parsed = Parse(text, limits::kTenantsFileMaxBytes);
  if (!parsed.ok()) return parsed.status();
  const toml::table& root = *parsed;
  // A file that is just being written looks so, and must not let everybody in.
  if (root.empty()) {
    return WrongFile("is empty; it needs a table such as [tenants.NAME]");
  }
  Status read = Members(
      root, "",
      {{"accounts",
        [this](const Node& node, const std::string& path) {
          return Named(node, path, limits::kAccountsMax, "accounts",
                       [this](const std::string& name, const Node& account, const std::string& at) {
                         return ReadAccount(name, account, at);
                       });
        }},
       {"tenants",
        [this](const Node& node, const std::string& path) {
          CountTenants(node);
          return Named(node, path, limits::kTenantsMax, "tenants",
                       [this](const std::string& name, const Node& tenant, const std::string& at) {
                         return ReadTenant(name, tenant, at);
                       });
        }},
       {"jwt", [this](const Node& node, const std::string& path) { return ReadJwt(node, path); }}});
  if (!read.ok()) return read;
  tenants_.identities = tenants_.jwt.has_value() || !keys_.empty() || !identities_.empty();
  for (const auto& [name, tenant] : tenants_.tenants) {
    tenants_.identities = tenants_.identities || name != kDefaultTenant;
  }
  return std::move(tenants_);
}

}  // namespace

absl::StatusOr<Tenants> ParseTenants(std::string_view text, std::string_view name) {
  return File(name).Read(text);
}

bool IsTenantName(std::string_view name) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= limits::kTenantNameMaxBytes && plain(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return plain(c) || c == '-' || c == '_' || c == '.'; });
}

std::string_view RoleName(Role role) {
  for (const auto& [name, known] : kRoles) {
    if (known == role) return name;
  }
  return "";
}

}  // namespace gateway::tenants

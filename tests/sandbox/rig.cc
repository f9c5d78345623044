#include "sandbox/rig.h"

#include <cstdlib>

namespace gateway::sandbox {

const Value& JsonReply::At(const std::string& path) const {
  static const Value kNone;
  const Value* at = json.get();
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    const std::string step = path.substr(begin, end - begin);
    if (at->IsArray()) {
      const auto index = static_cast<rapidjson::SizeType>(std::stoul(step));
      if (index >= at->Size()) return kNone;
      at = &(*at)[index];
    } else {
      at = Find(*at, step.c_str());
      if (at == nullptr) return kNone;
    }
    begin = end + 1;
  }
  return *at;
}

std::string JsonReply::TextAt(const std::string& path) const {
  const Value& value = At(path);
  return value.IsString() ? std::string(Text(value)) : "";
}

double JsonReply::NumberAt(const std::string& path) const {
  const Value& value = At(path);
  return value.IsNumber() ? value.GetDouble() : -1;
}

Rig::~Rig() {
  sandbox_.reset();
  if (!state_dir_.empty()) std::filesystem::remove_all(state_dir_);
}

void Rig::Start() {
  auto sandbox = Sandbox::Start(options_);
  ASSERT_TRUE(sandbox.ok()) << sandbox.status();
  sandbox_ = *std::move(sandbox);
}

void Rig::Restart() {
  sandbox_.reset();
  Start();
}

void Rig::KeepState() {
  std::string name = ::testing::TempDir() + "sandbox-test-XXXXXX";
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  state_dir_ = name;
  options_.state_dir = name;
}

test::PlainReply Rig::Raw(const std::string& method, const std::string& path,
                          const std::string& body, const std::string& headers) {
  test::PlainClient client(sandbox_->port());
  return client.Call(method, path, body, headers);
}

JsonReply Rig::Api(const std::string& method, const std::string& path, const std::string& body,
                   const std::string& headers) {
  const test::PlainReply raw = Raw(method, "/pictoryapis" + path, body, headers);
  JsonReply reply{raw.status, raw.body, raw.headers, nullptr};
  std::string error;
  reply.json = ParseJson(raw.body, &error);
  if (reply.json == nullptr) reply.json = ParseJson("{}", &error);
  return reply;
}

JsonReply Rig::Control(const std::string& method, const std::string& path,
                       const std::string& body) {
  const test::PlainReply raw = Raw(method, "/sandbox" + path, body);
  JsonReply reply{raw.status, raw.body, raw.headers, nullptr};
  std::string error;
  reply.json = ParseJson(raw.body, &error);
  if (reply.json == nullptr) reply.json = ParseJson("{}", &error);
  return reply;
}

std::string Rig::Submit(const std::string& method, const std::string& path,
                        const std::string& body) {
  const JsonReply reply = Api(method, path, body);
  EXPECT_EQ(reply.status, 200) << path << " " << reply.body;
  EXPECT_TRUE(FindBool(*reply.json, "success", false)) << reply.body;
  return reply.TextAt("data.jobId");
}

std::string Rig::FinishedPreview(const std::string& more) {
  const std::string id =
      Submit("POST", "/v2/video/storyboard",
             R"({"videoName":"Bread","scenes":[{"createSceneOnEndOfSentence":true,)"
             R"("story":"Time makes good bread every day. So wait for it."}])" +
                 more + "}");
  clock_.Advance(2);
  return id;
}

void Rig::AddFault(const std::string& rule) {
  const JsonReply reply = Control("POST", "/faults", rule);
  ASSERT_EQ(reply.status, 200) << reply.body;
}

}  // namespace gateway::sandbox

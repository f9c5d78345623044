#include "contract/contract.h"

#include <algorithm>
#include <cstdlib>

#include "base/secret.h"
#include "sandbox/json.h"

namespace gateway::test {
namespace {

constexpr std::string_view kBasePath = "/pictoryapis";
constexpr auto kPatience = std::chrono::seconds(20);

// As quick as a machine can be asked, with the shape of the real one.
jobs::PollCurve QuickCurve() {
  using std::chrono::milliseconds;
  jobs::PollCurve curve;
  curve.first = curve.confirm = curve.error_first = milliseconds(5);
  curve.max_watched = curve.max_unwatched = curve.error_max = milliseconds(20);
  return curve;
}

v1::Storyboard SimpleStoryboard() {
  v1::Storyboard storyboard;
  storyboard.set_video_name("demo");
  storyboard.add_scenes()->set_story("Hello there.");
  return storyboard;
}

std::string TakenAs(const std::string& id) {
  return R"({"success":true,"data":{"jobId":")" + id + R"("}})";
}

Answer Send(std::string bytes) {
  return [bytes = std::move(bytes)](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send(bytes);
  };
}

}  // namespace

Answer Json(int status, std::string body, std::string extra) {
  return Send(HttpReply(status, body, "Content-Type: application/json\r\n" + extra));
}

Answer Html(int status, std::string body, std::string extra) {
  return Send(HttpReply(status, body, "Content-Type: text/html\r\n" + extra));
}

Answer ResetAfterReading() {
  return [](ScriptedConnection& connection, const ReceivedRequest&) { connection.Reset(); };
}

Answer CutShort(std::string body) {
  return [body = std::move(body)](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size() + 100) +
                    "\r\n\r\n" + body);
    connection.Close();
  };
}

std::string CallOf(const ReceivedRequest& request) {
  std::string_view path = request.target;
  if (path.substr(0, kBasePath.size()) == kBasePath) path.remove_prefix(kBasePath.size());
  return request.method + " " + std::string(path);
}

ScriptedPictory::ScriptedPictory()
    : server_([this](ScriptedConnection& connection, const ReceivedRequest& request) {
        Serve(connection, request);
      }) {}

void ScriptedPictory::On(const std::string& call, std::vector<Answer> answers) {
  std::lock_guard lock(mutex_);
  answers_[call].assign(answers.begin(), answers.end());
}

void ScriptedPictory::Serve(ScriptedConnection& connection, const ReceivedRequest& request) {
  Answer answer = Json(501, R"({"message":"this case expects no such call"})");
  {
    std::lock_guard lock(mutex_);
    const std::string call = CallOf(request);
    times_[call].push_back(std::chrono::steady_clock::now());
    std::deque<Answer>& answers = answers_[call];
    if (answers.empty()) {
      unexpected_.push_back(call);
    } else {
      answer = answers.front();
      if (answers.size() > 1) answers.pop_front();
    }
  }
  answer(connection, request);
}

std::vector<ReceivedRequest> ScriptedPictory::Received(const std::string& call) const {
  std::vector<ReceivedRequest> received = server_.requests();
  std::erase_if(received, [&](const ReceivedRequest& request) { return CallOf(request) != call; });
  return received;
}

std::vector<std::string> ScriptedPictory::Calls() const {
  std::vector<std::string> calls;
  for (const ReceivedRequest& request : server_.requests()) calls.push_back(CallOf(request));
  return calls;
}

std::vector<std::chrono::steady_clock::time_point> ScriptedPictory::Times(
    const std::string& call) const {
  std::lock_guard lock(mutex_);
  const auto found = times_.find(call);
  if (found == times_.end()) return {};
  return found->second;
}

std::vector<std::string> ScriptedPictory::Unexpected() const {
  std::lock_guard lock(mutex_);
  return unexpected_;
}

Contract::Contract() {
  std::string name = ::testing::TempDir() + "contract-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) std::abort();
  state_dir_ = name;
  // Asked after many answers in a row that said nothing: only if this one fails, too, is Pictory
  // away.
  pictory_.On("GET /v1/quota", {Json(200, R"({"aiCredits":{"used":1,"limit":2}})")});
}

void Contract::Stop() {
  client_.reset();
  gateway_.reset();
}

Contract::~Contract() {
  Stop();
  std::error_code ignored;
  std::filesystem::remove_all(state_dir_, ignored);
}

void Contract::TearDown() {
  EXPECT_THAT(pictory_.Unexpected(), ::testing::IsEmpty());
  for (const ReceivedRequest& request : pictory_.Received()) {
    ExpectCredentials(request);
    EXPECT_THAT(request.HeaderValues("user-agent"), ::testing::StartsWith("Mozilla/5.0 "));
    EXPECT_EQ(request.HeaderCount("cookie"), 0) << request.head;
  }
}

void Contract::ExpectCredentials(const ReceivedRequest& request) const {
  const bool for_token = CallOf(request) == kTokenCall;
  EXPECT_EQ(request.HeaderCount("authorization"), for_token ? 0 : 1) << request.head;
  EXPECT_EQ(request.HeaderCount("x-pictory-user-id"), tokens_ && !for_token ? 1 : 0);
  if (for_token) return;
  if (tokens_) {
    EXPECT_THAT(request.HeaderValues("authorization"), ::testing::MatchesRegex("t[0-9]+"));
    EXPECT_EQ(request.HeaderValues("x-pictory-user-id"), "u-1");
  } else {
    EXPECT_EQ(request.HeaderValues("authorization"), kKey) << request.head;
  }
}

void Contract::StartWithTokens() {
  tokens_ = true;
  std::vector<Answer> answers;
  for (int i = 1; i <= 9; ++i) {
    answers.push_back(Json(200, R"({"access_token":"t)" + std::to_string(i) +
                                    R"(","expires_in":3600,"token_type":"Bearer"})"));
  }
  pictory_.On(kTokenCall, std::move(answers));
  Start([](app::Config& config) {
    config.auth = pictory::AuthMode::kOAuth;
    config.api_key = Secret();
    config.client_id = "client-1";
    config.client_secret = Secret("secret-1");
    config.user_id = "u-1";
  });
}

void Contract::StartWithV1(const std::function<void(app::Config&)>& change) {
  Start([&](app::Config& config) {
    for (const v1::JobKind kind : {v1::JOB_KIND_PREVIEW, v1::JOB_KIND_RENDER,
                                   v1::JOB_KIND_TRANSCRIPTION, v1::JOB_KIND_SUMMARY}) {
      config.api_versions[kind] = v1::PATH_VERSION_V1;
    }
    if (change) change(config);
  });
}

void Contract::StartWithWebhooks() {
  Start([](app::Config& config) {
    config.webhook_listen = app::Address{"127.0.0.1", 0};
    config.poll_curve->first = config.poll_curve->max_watched = std::chrono::hours(1);
    config.poll_curve->max_unwatched = std::chrono::hours(1);
  });
}

PlainReply Contract::CallBack(const std::string& path, const std::string& body) {
  const std::string address = gateway_->webhook_address();
  const int port = std::stoi(address.substr(address.rfind(':') + 1));
  return PlainClient(static_cast<std::uint16_t>(port)).Call("POST", path, body);
}

void Contract::Start(const std::function<void(app::Config&)>& change) {
  app::Config config;
  config.listen = {{.address = {"127.0.0.1", 0}}};
  config.admin_listen.reset();
  config.state_dir = state_dir_;
  config.api_key = Secret(kKey);
  config.base_url = pictory_.base_url();
  config.requests_per_second = config.burst = 1e6;
  config.poll_curve = QuickCurve();
  if (change) change(config);
  auto gateway = app::Gateway::Start(config, [] { std::abort(); });
  ASSERT_TRUE(gateway.ok()) << gateway.status();
  gateway_ = *std::move(gateway);
  pictory_jobs::ClientOptions options;
  options.retry.max_attempts = 1;  // each call is one call on the wire
  auto client = pictory_jobs::Client::Connect(gateway_->grpc_addresses()[0], options);
  ASSERT_TRUE(client.ok()) << client.status();
  client_ = std::make_unique<pictory_jobs::Client>(*std::move(client));
}

pictory_jobs::Client& Contract::Api() {
  if (client_ == nullptr) Start();
  return *client_;
}

Job Contract::Take(absl::StatusOr<Job> job) {
  EXPECT_TRUE(job.ok()) << job.status();
  if (!job.ok()) return Job();
  EXPECT_EQ(job->state(), v1::JOB_STATE_QUEUED);
  return *std::move(job);
}

Job Contract::Preview(const std::string& id) {
  pictory_.On("POST /v2/video/storyboard", {Json(200, TakenAs(id))});
  pictory_jobs::CreatePreviewRequest request;
  *request.mutable_storyboard() = SimpleStoryboard();
  return Take(Api().CreatePreview(request));
}

Job Contract::Render(const std::string& id) {
  pictory_.On("POST /v2/video/storyboard/render", {Json(200, TakenAs(id))});
  pictory_jobs::RenderRequest request;
  *request.mutable_storyboard() = SimpleStoryboard();
  return Take(Api().Render(request));
}

Job Contract::Transcription(const std::string& id) {
  pictory_.On("POST /v2/transcription", {Json(200, TakenAs(id))});
  pictory_jobs::TranscribeRequest request;
  request.set_file_url("https://media.example.com/talk.mp4");
  return Take(Api().Transcribe(request));
}

Job Contract::Summary(const std::string& id) {
  pictory_.On("POST /v2/transcription/highlights", {Json(200, TakenAs(id))});
  pictory_jobs::SummarizeRequest request;
  request.set_transcript_json(R"([{"words":[{"word":"Once","start_time":0,"end_time":0.5}]}])");
  request.set_highlight_duration_seconds(60);
  return Take(Api().Summarize(request));
}

Job Contract::Watch(const Job& job, const std::function<bool(const Job&)>& enough) {
  pictory_jobs::WatchOptions options;
  options.timeout = kPatience;
  auto seen =
      Api().WatchJob(job.job_id(), [&](const Job& state) { return !enough(state); }, options);
  EXPECT_TRUE(seen.ok()) << seen.status();
  return seen.ok() ? *std::move(seen) : Job();
}

Job Contract::Watch(const Job& job, v1::JobState state) {
  return Watch(job, [state](const Job& now) { return now.state() == state; });
}

std::vector<v1::JobState> Contract::States(const Job& job) {
  std::vector<v1::JobState> states;
  Watch(job, [&](const Job& now) {
    if (states.empty() || states.back() != now.state()) states.push_back(now.state());
    return false;
  });
  return states;
}

void Contract::LetOthersBePolled() {
  std::vector<Answer> answers;
  for (const char* percent : {"1", "2", "3", "4", "5", "6"}) {
    answers.push_back(Json(
        200, R"({"data":{"status":"in-progress","renderProgress":)" + std::string(percent) + "}}"));
  }
  answers.push_back(Json(200, R"({"data":{"status":"completed","videoURL":"https://v/o.mp4"}})"));
  OnJob("other", std::move(answers));
  EXPECT_EQ(Done(Render("other")).state(), v1::JOB_STATE_SUCCEEDED);
}

std::string Contract::Part(const Job& job, v1::ResultPart part) {
  auto bytes = Api().ReadResult(job.job_id(), part);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return bytes.ok() ? *std::move(bytes) : "";
}

Job Contract::Full(const Job& job) {
  auto full = Api().Get(job.job_id(), v1::JOB_VIEW_FULL);
  EXPECT_TRUE(full.ok()) << full.status();
  return full.ok() ? *std::move(full) : Job();
}

// By the sandbox's reader, which shares nothing with the code that wrote what is compared.
bool SameJson(const std::string& a, const std::string& b) {
  std::string error;
  const auto left = sandbox::ParseJson(a, &error);
  const auto right = sandbox::ParseJson(b, &error);
  return left != nullptr && right != nullptr && *left == *right;
}

}  // namespace gateway::test

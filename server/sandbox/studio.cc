#include "sandbox/studio.h"

#include <algorithm>
#include <array>
#include <span>

namespace gateway::sandbox {
namespace {

constexpr std::size_t kPromptMinChars = 5;  // characters
constexpr std::size_t kPromptMaxChars = 5000;
constexpr std::size_t kReferencesMax = 16;  // no limit is documented

using Choices = std::span<const std::string_view>;

constexpr std::string_view kImageRatios[] = {"1:1", "16:9", "9:16"};
constexpr std::string_view kClipRatios[] = {"16:9", "9:16", "1:1", "3:4", "4:3"};
constexpr std::string_view kClipSeconds[] = {"5s", "8s", "10s"};
constexpr std::string_view kVeoSeconds[] = {"4s", "6s", "8s"};
constexpr std::string_view kImageStyles[] = {"photorealistic", "artistic", "cartoon",
                                             "minimalist",     "vintage",  "futuristic"};

// The first ratio and the first duration are what a body gets that does not ask for one.
struct Model {
  std::string_view name;
  double credits;  // of a picture, or of a second
  Choices ratios;
  Choices seconds;
};

// The first is the one that a body gets that names none.
constexpr std::array kImageModels = {
    Model{"seedream3.0", 2, kImageRatios, {}},
    Model{"flux-schnell", 0.6, kImageRatios, {}},
    Model{"nanobanana", 4, kImageRatios, {}},
    Model{"nanobanana-pro", 14, kImageRatios, {}},
};
constexpr std::array kClipModels = {
    Model{"pixverse5.5", 1.6, kClipRatios, kClipSeconds},
    Model{"veo3.1", 20, Choices(kClipRatios).first(2), kVeoSeconds},
    Model{"veo3.1_fast", 10, Choices(kClipRatios).first(2), kVeoSeconds},
};

const Model* FindModel(std::span<const Model> models, const Value& body) {
  if (Find(body, "model") == nullptr) return &models.front();
  const std::string_view name = FindText(body, "model");
  const auto found = std::ranges::find(models, name, &Model::name);
  return found == models.end() ? nullptr : &*found;
}

const Model* CheckCommon(std::span<const Model> models, const Value& body, FieldChecker& fields) {
  if (!fields.Has("prompt")) fields.Wrong("prompt", "is required");
  fields.String("prompt", kPromptMaxChars, kPromptMinChars);
  const Model* const model = FindModel(models, body);
  if (model == nullptr) {
    fields.Wrong("model", "is not one of the allowed values");
  } else {
    fields.OneOf("aspectRatio", model->ratios);
  }
  return model;
}

std::string_view WordOr(const Value& body, const char* key, std::string_view otherwise) {
  return Find(body, key) == nullptr ? otherwise : FindText(body, key);
}

Visual Sized(const Value& body, const Model& model) {
  Visual visual{.model = std::string(model.name)};
  const std::string_view ratio = WordOr(body, "aspectRatio", model.ratios.front());
  visual.ratio = ratio;
  auto asked = std::make_shared<Json>();
  asked->CopyFrom(body, asked->GetAllocator());
  visual.asked = std::move(asked);
  visual.width = ratio == "16:9" ? 1280 : ratio == "9:16" ? 720 : ratio == "3:4" ? 768 : 1024;
  visual.height = ratio == "16:9" ? 720 : ratio == "9:16" ? 1280 : ratio == "4:3" ? 768 : 1024;
  return visual;
}

// The number that "8s" begins with.
int SecondsOf(std::string_view words) {
  int seconds = 0;
  for (const char c : words.substr(0, words.find('s'))) seconds = seconds * 10 + (c - '0');
  return seconds;
}

}  // namespace

double CreditsOf(const Value& ai_visual, bool clip) {
  const std::span<const Model> models =
      clip ? std::span<const Model>(kClipModels) : std::span<const Model>(kImageModels);
  const Model* const named = FindModel(models, ai_visual);
  const Model& model = named != nullptr ? *named : models.front();
  if (!clip) return model.credits;
  const std::string_view wanted = WordOr(ai_visual, "videoDuration", "");
  const bool known = std::ranges::find(model.seconds, wanted) != model.seconds.end();
  return model.credits * SecondsOf(known ? wanted : model.seconds.front());
}

std::vector<FieldError> CheckImage(const Value& body) {
  std::vector<FieldError> errors;
  FieldChecker fields(body, "", &errors);
  CheckCommon(kImageModels, body, fields);
  fields.OneOf("style", kImageStyles);
  fields.Url("referenceImageUrl");
  return errors;
}

std::vector<FieldError> CheckClip(const Value& body) {
  std::vector<FieldError> errors;
  FieldChecker fields(body, "", &errors);
  const Model* const model = CheckCommon(kClipModels, body, fields);
  if (model != nullptr) fields.OneOf("duration", model->seconds);
  fields.Exclusive("firstFrameImageUrl", "extendVideoUrl");
  fields.Exclusive("firstFrameImageUrl", "referenceImageUrls");
  fields.Exclusive("extendVideoUrl", "referenceImageUrls");
  fields.Url("firstFrameImageUrl");
  fields.Url("extendVideoUrl");
  if (fields.IsArray("referenceImageUrls", 1, kReferencesMax)) {
    for (const Value& url : fields.Get("referenceImageUrls")->GetArray()) {
      if (!url.IsString() || !IsWebUrl(Text(url))) {
        fields.Wrong("referenceImageUrls", "must be valid http or https URLs");
      }
    }
  }
  return errors;
}

Visual ImageFrom(const Value& body) {
  const Model& model = *FindModel(kImageModels, body);
  Visual visual = Sized(body, model);
  visual.credits = model.credits;
  return visual;
}

Visual ClipFrom(const Value& body) {
  const Model& model = *FindModel(kClipModels, body);
  Visual visual = Sized(body, model);
  visual.seconds = SecondsOf(WordOr(body, "duration", model.seconds.front()));
  visual.credits = model.credits * visual.seconds;
  return visual;
}

}  // namespace gateway::sandbox

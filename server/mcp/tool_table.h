// This table has the tools that agents are offered. Each is one call of the gateway's API: what it
// takes is that call's request, as JSON, and its schema is made from the .proto (mcp/tools).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gateway::mcp {

enum class ToolKind : std::uint8_t { kSubmit, kGet, kList, kRead, kDelete, kUsage };

struct Tool {
  std::string_view name;
  std::string_view method;  // of PictoryJobs
  ToolKind kind;
  std::string_view words;  // behind what the .proto says of the method
};

inline constexpr std::string_view kSubmitWords =
    "The same arguments again in this session give the same job, and nothing is paid again; a "
    "second job of them is made on purpose by another requestId.";

inline constexpr std::array<Tool, 11> kTools = {{
    {"create_preview", "CreatePreview", ToolKind::kSubmit,
     "AI visuals of the storyboard cost AI credits; the rest may count in Pictory's plan."},
    {"render", "Render", ToolKind::kSubmit,
     "This costs money: minutes of Pictory's plan, and AI credits for AI visuals."},
    {"transcribe", "Transcribe", ToolKind::kSubmit,
     "This costs money: minutes of Pictory's plan, and no AI credits."},
    {"summarize", "Summarize", ToolKind::kSubmit,
     "This may count in Pictory's plan, and costs no AI credits."},
    {"generate_image", "GenerateImage", ToolKind::kSubmit,
     "This costs money: 0.6 to 14 AI credits, by its model."},
    {"generate_video", "GenerateVideo", ToolKind::kSubmit,
     "This costs money: 1.6 to 20 AI credits a second, by its model."},
    {"get_job", "GetJob", ToolKind::kGet, "It is free. A job changes every few seconds at most."},
    {"list_jobs", "ListJobs", ToolKind::kList,
     "It is free. pageSize is at most 100, and 20 if it is left out."},
    {"read_result", "ReadJobResult", ToolKind::kRead,
     "It is free. An answer has at most 64 KiB of text; nextOffset says where to go on."},
    {"delete_job", "DeleteJob", ToolKind::kDelete,
     "It is free, and for good: the job's outputs at Pictory go too. It gives no money back. To "
     "cancel, set cancelOnly: what has been made meanwhile stays."},
    {"usage", "GetUsage", ToolKind::kUsage,
     "It is free. It also tells what this session may have used, and of what cap."},
}};

inline const Tool* FindTool(std::string_view name) {
  const auto found = std::ranges::find(kTools, name, &Tool::name);
  return found == kTools.end() ? nullptr : &*found;
}

inline std::vector<std::string> ToolNames() {
  std::vector<std::string> names;
  for (const Tool& tool : kTools) names.emplace_back(tool.name);
  return names;
}

}  // namespace gateway::mcp

// `pictory template`: what previews are made from.
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "describe.h"
#include "json_text.h"
#include "session.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

std::string TemplateText(const v1::Template& info) {
  std::string text = absl::StrCat("template ", OneLine(info.template_id()), "\n");
  Row(text, "name", OneLine(info.name()));
  Row(text, "language", OneLine(info.language()));
  if (info.has_published() && !info.published()) Row(text, "", "not published");
  if (info.deprecated()) Row(text, "", "deprecated");
  const std::map<std::string, std::string> sorted(info.variables().begin(), info.variables().end());
  for (const auto& [name, value] : sorted) {
    Row(text, "variable", OneLine(absl::StrCat(name, "=", value)));
  }
  return text;
}

template <class Response>
ExitCode Show(const Session& session, const absl::StatusOr<Response>& response) {
  if (!response.ok()) return session.Failed(response.status());
  session.out.Answer(session.out.json() ? ToJsonLine(*response) + "\n"
                                        : TemplateText(response->info()));
  return kSucceeded;
}

ExitCode Tell(const Session& session, const absl::Status& status, const char* what) {
  if (!status.ok()) return session.Failed(status);
  const std::string& id = session.args.source;
  session.out.Answer(session.out.json()
                         ? JsonObject().Text("templateId", id).Done() + "\n"
                         : absl::StrCat("template ", OneLine(id), "\n  ", what, "\n"));
  return kSucceeded;
}

ExitCode List(const Session& session) {
  const absl::StatusOr<ListTemplatesResponse> all = session.client.Templates(session.Call());
  if (!all.ok()) return session.Failed(all.status());
  for (const v1::Template& info : all->templates()) {
    session.out.Answer(session.out.json() ? ToJsonLine(info) + "\n"
                                          : absl::StrCat(OneLine(info.template_id()), "  ",
                                                         OneLine(info.name()), "\n"));
  }
  if (all->templates().empty()) session.out.Note("No templates.\n");
  if (all->omitted_templates() > 0) {
    session.out.Note(absl::StrCat("And ", all->omitted_templates(), " more.\n"));
  }
  return kSucceeded;
}

}  // namespace

ExitCode RunTemplate(const Session& session, const std::string& file) {
  const std::string& action = session.args.action;
  const std::string& id = session.args.source;
  if (action == "list") return List(session);
  if (action == "get") return Show(session, session.client.Template(id, session.Call()));
  if (action == "delete") {
    return Tell(session, session.client.DeleteTemplate(id, session.Call()), "deleted");
  }
  if (action == "update") {
    UpdateTemplateRequest request;
    request.set_template_id(id);
    request.set_scenes_json(file);
    return Tell(session, session.client.UpdateTemplate(request, session.Call()), "changed");
  }
  CreateTemplateRequest request;
  request.set_project_file(file);
  return Show(session, session.client.CreateTemplate(request, session.Call()));
}

}  // namespace pictory_jobs::cli

#include "page.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdio>
#include <vector>

namespace manual {
namespace {

using Commands = std::vector<const CLI::App*>;

bool EndsWith(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// The character at `at`, which moves behind it. The texts are UTF-8 of this source tree.
std::uint32_t NextCharacter(const std::string& text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  std::uint32_t character = lead < 0x80   ? lead
                            : lead < 0xE0 ? lead & 0x1F
                            : lead < 0xF0 ? lead & 0x0F
                                          : lead & 0x07;
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) {
    character = (character << 6) | (static_cast<unsigned char>(text[at++]) & 0x3F);
  }
  return character;
}

// A line as roff prints it. `code` is between backticks in prose, and becomes bold.
std::string Line(const std::string& text, bool prose) {
  const bool bold = prose && std::count(text.begin(), text.end(), '`') % 2 == 0;
  std::string out;
  bool inside = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::uint32_t c = NextCharacter(text, at);
    if (c == '`' && bold) {
      inside = !inside;
      out += inside ? "\\fB" : "\\fR";
    } else if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '\'') {
      out += "\\(aq";
    } else if (c == '`') {
      out += "\\(ga";
    } else if (c == '^') {
      out += "\\(ha";
    } else if (c == '~') {
      out += "\\(ti";
    } else if (c < 0x80) {
      if (out.empty() && c == '.') out += "\\&";
      out += static_cast<char>(c);
    } else {
      char name[16];
      std::snprintf(name, sizeof name, "\\[u%04X]", c);
      out += name;
    }
  }
  return out;
}

std::string Bold(const std::string& text) { return "\\fB" + Line(text, false) + "\\fR"; }
std::string Italic(const std::string& text) { return "\\fI" + Line(text, false) + "\\fR"; }

std::string Upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines = {""};
  for (const char c : text) {
    if (c == '\n') {
      lines.emplace_back();
    } else {
      lines.back() += c;
    }
  }
  return lines;
}

// Texts of the help: paragraphs, indented lines that stay as they are, and lines such as
// `Examples:`, which head what comes below them.
class Prose {
 public:
  explicit Prose(std::string& out) : out_(out) {}

  void Add(const std::string& text) {
    for (const std::string& line : LinesOf(text)) AddLine(line);
    EndBlock();
  }
  // Whether nothing stands yet below the last heading.
  void Head(const std::string& title) {
    EndBlock();
    out_ += ".SH " + Upper(title) + "\n";
    fresh_ = true;
  }

 private:
  void AddLine(const std::string& line) {
    if (line.empty()) {
      if (!indented_) between_ = true;
      if (indented_) held_ += "\n";
      return;
    }
    const bool indented = line.rfind("  ", 0) == 0;
    if (!indented && (line == "Examples:" || line == "Exit status:")) {
      return Head(line.substr(0, line.size() - 1));
    }
    if (indented != indented_) EndBlock();
    if (indented && !indented_) {
      out_ += fresh_ ? ".RS 0\n.nf\n" : ".PP\n.RS 4\n.nf\n";
      indented_ = true;
    } else if (!indented && between_ && !fresh_) {
      out_ += ".PP\n";
    }
    out_ += held_ + Line(indented ? line.substr(2) : line, !indented) + "\n";
    held_.clear();
    between_ = fresh_ = false;
  }

  void EndBlock() {
    if (indented_) out_ += ".fi\n.RE\n";
    if (indented_) between_ = true;
    held_.clear();
    indented_ = false;
  }

  std::string& out_;
  std::string held_;  // empty lines, which count only between two indented ones
  bool indented_ = false;
  bool between_ = false;  // the next line begins a paragraph
  bool fresh_ = true;
};

// `INT:1 to 100`: what a value is, and what it may be.
std::string ThingOf(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type.find('|') != type.npos ? type : type.substr(0, type.find(':'));
}
std::string BoundsOf(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::size_t colon = type.find(':');
  if (type.find('|') != type.npos || colon == type.npos) return "";
  const std::string bounds = type.substr(colon + 1);
  return std::any_of(bounds.begin(), bounds.end(),
                     [](unsigned char c) { return std::islower(c) != 0 || std::isdigit(c) != 0; })
             ? bounds
             : "";
}

std::string NamesOf(const CLI::Option& option) {
  if (option.get_positional()) return Italic(option.get_single_name());
  std::string names;
  for (const std::string& name : option.get_snames())
    names += (names.empty() ? "" : ", ") + Bold("-" + name);
  for (const std::string& name : option.get_lnames())
    names += (names.empty() ? "" : ", ") + Bold("--" + name);
  if (option.get_items_expected_max() > 0) names += " " + Italic(ThingOf(option));
  return names;
}

std::string Listed(const std::set<CLI::Option*>& options) {
  std::vector<std::string> names;
  for (const CLI::Option* option : options)
    names.push_back(NamesOf(*option).substr(0, NamesOf(*option).find(' ')));
  std::sort(names.begin(), names.end());  // the set is in order of addresses
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

void AddOption(const CLI::Option& option, std::string& out) {
  out += ".TP\n" + NamesOf(option) + "\n" + Line(option.get_description(), true) + ".\n";
  const auto add = [&out](const std::string& what, const std::string& value) {
    if (!value.empty()) out += what + value + ".\n";
  };
  add("Takes ", Line(BoundsOf(option), false));
  add("Default: ", Line(option.get_default_str(), false));
  add("Variable: ", option.get_envname().empty() ? "" : Bold(option.get_envname()));
  add("Only with ", Listed(option.get_needs()));
  add("Not with ", Listed(option.get_excludes()));
}

void AddOptions(const CLI::App& app, bool positional, const char* title, std::string& out) {
  bool headed = false;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional() != positional || option->get_group().empty()) continue;
    if (!headed) out += std::string(".SH ") + title + "\n";
    headed = true;
    AddOption(*option, out);
  }
}

Commands CommandsOf(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

void AddSynopsis(const CLI::App& app, const std::string& command, std::string& out) {
  out += ".SH SYNOPSIS\n" + Bold(command) + " [" + Italic("OPTIONS") + "]";
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional()) continue;
    const std::string name =
        NamesOf(*option) + (option->get_items_expected_max() > 1 ? " ..." : "");
    out += option->get_required() ? " " + name : " [" + name + "]";
  }
  if (!CommandsOf(app).empty()) out += " [" + Italic("COMMAND") + "]";
  out += "\n";
}

void AddCommands(const CLI::App& app, const std::string& command, const Edition& edition,
                 std::string& out) {
  const Commands commands = CommandsOf(app);
  if (commands.empty()) return;
  out += ".SH COMMANDS\n";
  for (const CLI::App* each : commands) {
    const std::string name = command + " " + each->get_name();
    out += ".TP\n" + Bold(each->get_name()) + "\n" + Line(each->get_description(), true) + ".\n";
    if (DeservesPage(*each)) out += "See " + Bold(PageName(name)) + "(" + edition.section + ").\n";
  }
}

}  // namespace

std::string PageName(const std::string& command) {
  std::string name = command;
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

bool DeservesPage(const CLI::App& app) {
  const auto options = app.get_options();
  const bool inherited =
      app.get_parent() != nullptr && app.get_footer() == app.get_parent()->get_footer();
  return (!app.get_footer().empty() && !inherited) ||
         std::count_if(options.begin(), options.end(), [](const CLI::Option* option) {
           return !option->get_positional();
         }) > 1;  // more than --help
}

std::string Page(const CLI::App& app, const std::string& command, const Edition& edition) {
  std::vector<std::string> about = LinesOf(app.get_description());
  std::string first = about.front();
  if (EndsWith(first, ".")) first.pop_back();
  std::string out = ".TH " + Line(Upper(PageName(command)), false) + " " + edition.section + " " +
                    edition.date + " \"pictory " + edition.version + "\" \"Pictory jobs\"\n";
  out += ".SH NAME\n" + Line(PageName(command), false) + " \\- " + Line(first, false) + "\n";
  AddSynopsis(app, command, out);

  // What follows the options in the help comes first here, up to its examples and exit status.
  about.erase(about.begin());
  std::string text;
  for (const std::string& line : about) text += line + "\n";
  if (!text.empty()) text += "\n";
  text += app.get_footer();
  std::string prose;
  Prose(prose).Add(text);
  const std::size_t headed = prose.rfind(".SH ", 0) == 0 ? 0 : prose.find("\n.SH ");
  const std::size_t split = headed == prose.npos ? prose.size() : headed == 0 ? 0 : headed + 1;
  if (split > 0) out += ".SH DESCRIPTION\n" + prose.substr(0, split);
  AddOptions(app, true, "ARGUMENTS", out);
  AddOptions(app, false, "OPTIONS", out);
  const CLI::App* const parent = app.get_parent();
  const std::string whole = command.substr(0, command.find(' '));
  if (parent != nullptr && parent->get_fallthrough()) {
    out +=
        ".PP\nAll options of " + Bold(whole) + "(" + edition.section + ") may stand here, too.\n";
  }
  AddCommands(app, command, edition, out);
  out += prose.substr(split);
  if (parent != nullptr) out += ".SH SEE ALSO\n" + Bold(whole) + "(" + edition.section + ")\n";
  return out;
}

}  // namespace manual

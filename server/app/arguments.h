// These functions tell in words what is wrong with a command line. Of arguments that nobody knows
// they never repeat values, which may be secrets.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace gateway::app {

// A line for each flag of the form `--proxy=`. CLI11 would take the next argument for its value.
std::vector<std::string> EmptyFlags(int argc, const char* const* argv);

// A line for each argument that CLI11 did not know. `flags` are the ones of this command, `others`
// of the other commands.
std::vector<std::string> UnknownArguments(const CLI::App& app, std::vector<std::string> flags,
                                          const std::vector<std::string>& others);

// A line for each of `flags`, the gateway's on a command line of `command`, which does not read
// them.
std::vector<std::string> MisplacedFlags(const std::vector<std::string>& flags,
                                        const std::string& command);

// What CLI11 says of one flag or command of `app`, in our words where its own are unclear.
std::string Reworded(const CLI::App& app, const CLI::ParseError& error);

}  // namespace gateway::app

// These functions make what is said of a command line that makes no sense.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

#include "invocation.h"

namespace pictory_jobs::cli {

std::vector<std::string> CommandNames(const CLI::App& app);

// `there is no command 'wach'; did you mean watch?`
std::string NoSuchCommand(const CLI::App& app, const std::string& word);

// Takes whole numbers above 0.
CLI::Validator AboveZero();

// Takes one of these words, and shows them as the type of the option.
void Choose(CLI::Option* option, const std::vector<std::string>& words);

// The error of a parse in words, with the flag or the command that was probably meant.
std::string WhatIsWrong(const CLI::App& app, const CLI::ParseError& error);

// What is wrong, and where to read on; as JSON one object.
Finished Refusal(const CLI::App& app, const std::string& what, bool json);

}  // namespace pictory_jobs::cli

// Opens a link with the program of the desktop.
#pragma once

#include <string>

namespace pictory_jobs::cli {

// Whether the link was handed on to a program: false where there is none, or it has failed, and for
// a link that is neither http nor https, such as a file.
bool OpenLink(const std::string& url);

}  // namespace pictory_jobs::cli

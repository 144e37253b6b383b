// How a test or a benchmark starts Debian's chromium on a page.
//
// Threading: stateless.
#ifndef TESTING_BROWSER_H_
#define TESTING_BROWSER_H_

#include <string>
#include <vector>

#include "testing/process.h"

namespace harness {

// The browser at `path`, without a window, which keeps what it has to keep in an empty directory.
// `arguments` are more of its own; without one that says otherwise it stays on the page.
ProcessOptions BrowserOptions(const std::string &path, const std::string &directory,
                              const std::string &url,
                              const std::vector<std::string> &arguments = {});

} // namespace harness

#endif // TESTING_BROWSER_H_

#include "testing/browser.h"

namespace harness {

ProcessOptions BrowserOptions(const std::string &path, const std::string &directory,
                              const std::string &url, const std::vector<std::string> &arguments) {
    ProcessOptions options;
    options.arguments = {path,
                         "--headless",
                         "--no-sandbox", // root may not have it otherwise
                         "--disable-gpu",
                         "--disable-dev-shm-usage",
                         "--no-first-run",
                         "--disable-background-networking",
                         "--enable-logging=stderr",
                         "--user-data-dir=" + directory + "/profile"};
    options.environment["HOME"] = directory;
    options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
    options.arguments.push_back(url);
    return options;
}

} // namespace harness

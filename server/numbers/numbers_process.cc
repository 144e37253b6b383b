#include "server/numbers/numbers_process.h"

#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <utility>

#include "gtest/gtest.h"

namespace harness {
namespace {

// The specification's text. Whatever was read from a line must give that line again.
std::string FormatReport(const Report &report) {
    return "Received " + std::to_string(report.unique_count) + " unique numbers, " +
           std::to_string(report.duplicate_count) +
           " duplicates. Unique total: " + std::to_string(report.unique_total);
}

} // namespace

ProcessOptions NumbersServerCommand(const std::vector<std::string> &arguments) {
    ProcessOptions options;
    options.arguments.push_back(ProgramPath("NUMBERS_SERVER"));
    options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
    options.environment["BUILD_WORKING_DIRECTORY"] = std::nullopt;
    options.environment["NUMBERS_PARSER_KERNEL"] = std::nullopt;
    options.environment["NUMBERS_FORMATTER_KERNEL"] = std::nullopt;
    return options;
}

std::ostream &operator<<(std::ostream &stream, const Report &report) {
    return stream << report.unique_count << " unique, " << report.duplicate_count
                  << " duplicates, total " << report.unique_total;
}

std::vector<Report> ParseReports(const std::string &output) {
    std::vector<Report> reports;
    for (const std::string &line : SplitLines(output)) {
        Report report;
        std::sscanf(line.c_str(),
                    "Received %" SCNu64 " unique numbers, %" SCNu64
                    " duplicates. Unique total: %" SCNu64,
                    &report.unique_count, &report.duplicate_count, &report.unique_total);
        if (line == FormatReport(report)) {
            reports.push_back(report);
        } else {
            ADD_FAILURE() << "not a report: \"" << line << "\"";
        }
    }
    return reports;
}

Report SumReports(const std::vector<Report> &reports) {
    Report sum;
    for (const Report &report : reports) {
        sum.unique_count += report.unique_count;
        sum.duplicate_count += report.duplicate_count;
        sum.unique_total = report.unique_total;
    }
    return sum;
}

NumbersServer::NumbersServer(const std::vector<std::string> &arguments, ProcessOptions base)
    : log_path_(directory_.File("numbers.log")) {
    base.arguments.push_back("--port=0");
    base.arguments.push_back("--log=" + log_path_);
    base.arguments.insert(base.arguments.end(), arguments.begin(), arguments.end());
    if (base.working_directory.empty()) {
        base.working_directory = directory_.path();
    }
    process_ = std::make_unique<Process>(base);
    port_ = PortAt("127.0.0.1");
}

NumbersServer::~NumbersServer() {
    const std::string errors = process_->errors();
    ExpectNoSanitizerReport(errors);
    if (testing::Test::HasFailure()) {
        std::cerr << "The server's standard error:\n" << errors;
    }
}

TcpClient NumbersServer::ConnectServed(std::string_view bytes) const {
    TcpClient client = Connect();
    EXPECT_TRUE(client.Send(bytes));
    EXPECT_TRUE(client.WaitUntilRead());
    EXPECT_EQ(client.WaitForEnding(std::chrono::milliseconds(0)), Ending::kNone);
    return client;
}

Ending NumbersServer::Deliver(std::string_view bytes, std::chrono::milliseconds patience) const {
    TcpClient client = Connect();
    client.Send(bytes, patience);
    client.HalfClose();
    return client.WaitForEnding(patience);
}

std::future<Ending> NumbersServer::DeliverMeanwhile(std::string bytes,
                                                    std::chrono::milliseconds patience) const {
    return std::async(std::launch::async, [this, bytes = std::move(bytes), patience] {
        return Deliver(bytes, patience);
    });
}

Ending NumbersServer::DeliverWhenFree(std::string_view bytes) const {
    Ending ending = Ending::kNone;
    Await([&] {
        ending = Deliver(bytes);
        return ending == Ending::kFin;
    });
    return ending;
}

std::optional<ExitStatus> NumbersServer::Stop() {
    process_->Signal(SIGTERM);
    return process_->WaitForExit();
}

std::optional<ExitStatus> NumbersServer::Terminate() {
    TcpClient client = Connect();
    client.Send("terminate\n");
    return process_->WaitForExit();
}

} // namespace harness

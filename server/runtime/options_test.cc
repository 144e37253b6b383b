#include "server/runtime/options.h"

#include <algorithm>
#include <string>
#include <vector>

#include "server/runtime/version.h"
#include "gtest/gtest.h"

namespace {

const char *const kColours[] = {"red", "green", nullptr};

class OptionsTest : public testing::Test {
  protected:
    // Parses a command line behind the program's name; what was printed is in output_ and errors_.
    options_outcome Parse(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "tool");
        std::vector<char *> argv;
        for (std::string &argument : arguments) {
            argv.push_back(argument.data());
        }
        argv.push_back(nullptr);
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        const options_outcome outcome = options_parse(&options_, static_cast<int>(arguments.size()),
                                                      argv.data(), &first_argument_index_);
        output_ = testing::internal::GetCapturedStdout();
        errors_ = testing::internal::GetCapturedStderr();
        arguments_ = std::move(arguments); // the texts are the command line's own
        return outcome;
    }

    // The message of a command line that must be refused with exactly one line.
    std::string Complaint(const std::vector<std::string> &arguments) {
        EXPECT_EQ(Parse(arguments), OPTIONS_INVALID);
        EXPECT_EQ(output_, "");
        EXPECT_EQ(errors_.find('\n'), errors_.size() - 1) << errors_;
        const std::string start = "tool: ";
        const std::string end = " (see --help)\n";
        if (errors_.rfind(start, 0) != 0 || errors_.size() < start.size() + end.size()) {
            return "not a complaint: " + errors_;
        }
        return errors_.substr(start.size(), errors_.size() - start.size() - end.size());
    }

    bool flag_ = false;
    int64_t number_ = 7;
    int64_t time_ms_ = 1500;
    const char *text_ = "here";
    const char *no_text_ = nullptr;
    option_list list_{{"a"}, 1, false};
    int colour_ = 1;
    option_spec specs_[8] = {
        {"flag", nullptr, "a flag", OPTION_FLAG, &flag_, 0, 0, nullptr},
        {"number", "NUMBER", "a number", OPTION_INTEGER, &number_, -3, 65535, nullptr},
        {"other-name", "NUMBER", nullptr, OPTION_INTEGER, &number_, -3, 65535, nullptr},
        {"time", "SECONDS", "a time", OPTION_SECONDS, &time_ms_, 10, 86400000, nullptr},
        {"text", "TEXT", "a text", OPTION_TEXT, &text_, 0, 0, nullptr},
        {"maybe", "TEXT", "a text or none", OPTION_TEXT, &no_text_, 0, 0, nullptr},
        {"item", "TEXT", "an item", OPTION_TEXT_LIST, &list_, 0, 0, nullptr},
        {"a-colour-of-your-own-choice", "red|green", "a colour", OPTION_CHOICE, &colour_, 0, 0,
         kColours},
    };
    options options_{"tool", nullptr, "Does something.", "  tool --flag\n", nullptr, nullptr,
                     specs_, 8};
    int first_argument_index_ = -1;
    std::string output_;
    std::string errors_;
    std::vector<std::string> arguments_;
};

TEST_F(OptionsTest, NothingGivenKeepsTheDefaults) {
    EXPECT_EQ(Parse({}), OPTIONS_RUN);
    EXPECT_FALSE(flag_);
    EXPECT_EQ(number_, 7);
    EXPECT_EQ(time_ms_, 1500);
    EXPECT_STREQ(text_, "here");
    EXPECT_EQ(list_.count, 1u);
    EXPECT_EQ(colour_, 1);
    EXPECT_EQ(first_argument_index_, 1);
    EXPECT_EQ(output_ + errors_, "");
}

TEST_F(OptionsTest, TakesValuesBehindASignOrASpace) {
    EXPECT_EQ(Parse({"--flag", "--number=12", "--time", "0.25", "--text", "there", "--item=x",
                     "--item", "y", "--a-colour-of-your-own-choice=red"}),
              OPTIONS_RUN);
    EXPECT_TRUE(flag_);
    EXPECT_EQ(number_, 12);
    EXPECT_EQ(time_ms_, 250);
    EXPECT_STREQ(text_, "there");
    ASSERT_EQ(list_.count, 2u);
    EXPECT_STREQ(list_.items[0], "x");
    EXPECT_STREQ(list_.items[1], "y");
    EXPECT_EQ(colour_, 0);
}

TEST_F(OptionsTest, TheLastOneWins) {
    EXPECT_EQ(Parse({"--number=1", "--other-name=2"}), OPTIONS_RUN);
    EXPECT_EQ(number_, 2);
}

TEST_F(OptionsTest, ChecksNumbers) {
    for (const char *good : {"-3", "0", "65535"}) {
        EXPECT_EQ(Parse({"--number", good}), OPTIONS_RUN) << good;
        EXPECT_EQ(number_, std::stol(good));
    }
    for (const char *bad : {"", "-4", "65536", "12x", "x", "-", "+5", " 5", "5 ", "1.5", "0x10",
                            "99999999999999999999"}) {
        EXPECT_EQ(Complaint({"--number", bad}),
                  "--number takes a number from -3 to 65535, not '" + std::string(bad) + "'");
    }
}

TEST_F(OptionsTest, ChecksTimes) {
    const std::vector<std::pair<std::string, int64_t>> good = {
        {"0.01", 10}, {"2", 2000}, {"1.5", 1500}, {"0.250", 250}, {"86400", 86400000}};
    for (const auto &[text, time_ms] : good) {
        EXPECT_EQ(Parse({"--time=" + text}), OPTIONS_RUN) << text;
        EXPECT_EQ(time_ms_, time_ms);
    }
    for (const char *bad : {"", "0", "0.009", "86400.001", "1s", "x", "-1", ".5", "0.0101", "1e3",
                            "99999999999999999999", "9999999999", "nan", "inf"}) {
        EXPECT_EQ(Complaint({"--time", bad}),
                  "--time takes seconds from 0.01 to 86400, not '" + std::string(bad) + "'");
    }
}

TEST_F(OptionsTest, ShowsLongTimesInFull) {
    specs_[3].lowest = 1;
    specs_[3].highest = 1000000000;
    EXPECT_EQ(Complaint({"--time=0"}), "--time takes seconds from 0.001 to 1000000, not '0'");
    specs_[3].highest = 2147483647999;
    EXPECT_EQ(Complaint({"--time=0"}),
              "--time takes seconds from 0.001 to 2147483647.999, not '0'");
    time_ms_ = 1234567890;
    EXPECT_EQ(Parse({"--help"}), OPTIONS_SHOWN);
    EXPECT_NE(output_.find("a time (default 1234567.89)\n"), std::string::npos) << output_;
}

TEST_F(OptionsTest, ChecksTextsAndLists) {
    EXPECT_EQ(Complaint({"--text="}), "--text takes a text that is not empty");
    EXPECT_EQ(Parse({"--text=" + std::string(4095, 'x')}), OPTIONS_RUN);
    EXPECT_EQ(Complaint({"--text=" + std::string(4096, 'x')}),
              "--text takes a text of at most 4095 bytes");
    EXPECT_EQ(Complaint({"--item="}), "--item takes a text that is not empty");
    const std::vector<std::string> many(OPTION_LIST_CAPACITY, "--item=x");
    EXPECT_EQ(Parse(many), OPTIONS_RUN);
    EXPECT_EQ(list_.count, static_cast<size_t>(OPTION_LIST_CAPACITY));
    EXPECT_EQ(Complaint({"--item=one-more"}), "--item can be given 16 times at most");
}

TEST_F(OptionsTest, ChecksChoices) {
    EXPECT_EQ(Complaint({"--a-colour-of-your-own-choice=Red"}),
              "--a-colour-of-your-own-choice takes red|green, not 'Red'");
    EXPECT_EQ(Complaint({"--a-colour-of-your-own-choice="}),
              "--a-colour-of-your-own-choice takes red|green, not ''");
    EXPECT_EQ(colour_, 1);
}

TEST_F(OptionsTest, NamesWhatItCannotUse) {
    EXPECT_EQ(Complaint({"--nosuch"}), "cannot use the option --nosuch");
    EXPECT_EQ(Complaint({"--nosuch=5", "--flag"}), "cannot use the option --nosuch=5");
    EXPECT_EQ(Complaint({"--flag=1"}), "cannot use the option --flag=1");
    EXPECT_EQ(Complaint({"--help=1"}), "cannot use the option --help=1");
    EXPECT_EQ(Complaint({"--t=1"}), "cannot use the option --t=1"); // --time or --text?
    EXPECT_EQ(Complaint({"-x"}), "cannot use the option -x");
    EXPECT_EQ(Complaint({"--flag", "-xyz"}), "cannot use the option -x");
    EXPECT_EQ(Complaint({"--number"}), "--number needs a value");
    EXPECT_EQ(Complaint({"--flag", "--text"}), "--text needs a value");
    EXPECT_EQ(Complaint({"argument"}), "unexpected argument 'argument'");
    EXPECT_EQ(Complaint({"--", "--flag"}), "unexpected argument '--flag'");
    EXPECT_EQ(Complaint({""}), "unexpected argument ''");
}

TEST_F(OptionsTest, AByteBeyondAsciiIsNamedByItsCode) {
    EXPECT_EQ(Complaint({"--flag", "-\xc3\xa4"}), "cannot use the option -\\xc3");
}

TEST_F(OptionsTest, ComplainsInOneLineWhateverWasTyped) {
    EXPECT_EQ(Complaint({"--number=1\n2\r3\x1b[0m"}),
              "--number takes a number from -3 to 65535, not '1\\n2\\r3\\x1b[0m'");
    const std::string message = Complaint({"--number=" + std::string(5000, '1')});
    EXPECT_LT(message.size(), 1000u);
}

TEST_F(OptionsTest, TellsWhereTheArgumentsBegin) {
    options_.arguments = "FILE...";
    EXPECT_EQ(Parse({"--flag", "one", "two"}), OPTIONS_RUN);
    EXPECT_EQ(first_argument_index_, 2);
}

TEST_F(OptionsTest, HelpShowsEveryOptionWithItsDefault) {
    EXPECT_EQ(Parse({"--help", "--nosuch"}), OPTIONS_SHOWN);
    EXPECT_EQ(errors_, "");
    EXPECT_EQ(output_, "Usage: tool [OPTION]...\n"
                       "\n"
                       "Does something.\n"
                       "\n"
                       "Options:\n"
                       "      --flag                    a flag\n"
                       "      --number=NUMBER           a number (default 7)\n"
                       "      --time=SECONDS            a time (default 1.5)\n"
                       "      --text=TEXT               a text (default here)\n"
                       "      --maybe=TEXT              a text or none\n"
                       "      --item=TEXT               an item (default a)\n"
                       "      --a-colour-of-your-own-choice=red|green\n"
                       "                                a colour (default green)\n"
                       "  -h, --help                    show this text\n"
                       "      --version                 show the version\n"
                       "\n"
                       "Examples:\n"
                       "  tool --flag\n");
}

TEST_F(OptionsTest, HelpShowsTheExitCodesLast) {
    options_.exit_codes = "  0   it did\n  1   it did not\n";
    EXPECT_EQ(Parse({"--help"}), OPTIONS_SHOWN);
    const std::string end = "  tool --flag\n\nExit codes:\n  0   it did\n  1   it did not\n";
    EXPECT_EQ(output_.substr(output_.size() - std::min(end.size(), output_.size())), end);
}

TEST_F(OptionsTest, HelpNamesTheArguments) {
    options_.arguments = "FILE...";
    EXPECT_EQ(Parse({"--help"}), OPTIONS_SHOWN);
    EXPECT_EQ(output_.substr(0, output_.find('\n')), "Usage: tool [OPTION]... FILE...");
}

TEST_F(OptionsTest, ShowsTheVersion) {
    EXPECT_EQ(Parse({"--version"}), OPTIONS_SHOWN);
    EXPECT_EQ(output_, "tool " + std::string(version_text()) + "\n");
    options_.version_details = "kernel: fast\nother: slow";
    EXPECT_EQ(Parse({"--version"}), OPTIONS_SHOWN);
    EXPECT_EQ(output_, "tool " + std::string(version_text()) + "\nkernel: fast\nother: slow\n");
}

TEST_F(OptionsTest, KnowsTheShortFormOfHelpAndPort) {
    EXPECT_EQ(Complaint({"-p5"}), "cannot use the option -p");
    specs_[1].name = "port";
    EXPECT_EQ(Parse({"-p", "5"}), OPTIONS_RUN);
    EXPECT_EQ(number_, 5);
    EXPECT_EQ(Parse({"-p6", "--flag"}), OPTIONS_RUN);
    EXPECT_EQ(number_, 6);
    EXPECT_EQ(Complaint({"-p"}), "-p needs a value");
    EXPECT_EQ(Complaint({"-p", "x"}), "--port takes a number from -3 to 65535, not 'x'");
    EXPECT_EQ(Parse({"-h"}), OPTIONS_SHOWN);
    EXPECT_NE(output_.find("  -p, --port=NUMBER             a number"), std::string::npos)
        << output_;
    const std::string help = output_;
    EXPECT_EQ(Parse({"--help"}), OPTIONS_SHOWN);
    EXPECT_EQ(output_, help);
}

TEST_F(OptionsTest, AnOptionIsNotTheValueThatWasForgottenBeforeIt) {
    EXPECT_EQ(Complaint({"--text", "--flag"}),
              "--text needs a value; if '--flag' is meant, write --text=--flag");
    EXPECT_EQ(Complaint({"--item", "-h"}),
              "--item needs a value; if '-h' is meant, write --item=-h");
    EXPECT_EQ(Parse({"--text=--flag"}), OPTIONS_RUN);
    EXPECT_STREQ(text_, "--flag");
    EXPECT_EQ(Parse({"--text", "-"}), OPTIONS_RUN);
    EXPECT_STREQ(text_, "-");
    EXPECT_FALSE(flag_);
}

TEST_F(OptionsTest, RefusesATableThatIsTooLarge) {
    const std::vector<option_spec> many(100, specs_[0]);
    options_.specs = many.data();
    options_.spec_count = many.size();
    EXPECT_EQ(Complaint({}), "the program lists more options than fit its table");
}

TEST(ReadNumberTest, TakesWholeNumbersInTheirBounds) {
    int64_t number = 0;
    EXPECT_TRUE(options_read_number("0", 0, 65535, &number));
    EXPECT_EQ(number, 0);
    EXPECT_TRUE(options_read_number("65535", 0, 65535, &number));
    EXPECT_EQ(number, 65535);
    EXPECT_TRUE(options_read_number("-7", -7, 0, &number));
    EXPECT_EQ(number, -7);
    for (const char *text :
         {"", "-", "-1", "65536", "+5", " 5", "5 ", "5x", "0x5", "99999999999999999999"}) {
        EXPECT_FALSE(options_read_number(text, 0, 65535, &number)) << text;
    }
}

TEST_F(OptionsTest, TheTableHasAFactALine) {
    EXPECT_EQ(Parse({"--help=table"}), OPTIONS_SHOWN);
    EXPECT_EQ(output_, std::string("program\ttool\nversion\t") + version_text() +
                           "\nsummary\tDoes something.\n"
                           "option\tflag\t\t\tflag\t\t\ta flag\n"
                           "option\tnumber\t\tNUMBER\tvalue\t7\t\ta number\n"
                           "option\ttime\t\tSECONDS\tvalue\t1.5\t\ta time\n"
                           "option\ttext\t\tTEXT\tvalue\there\t\ta text\n"
                           "option\tmaybe\t\tTEXT\tvalue\t\t\ta text or none\n"
                           "option\titem\t\tTEXT\tlist\ta\t\tan item\n"
                           "option\ta-colour-of-your-own-choice\t\tred|green\tchoice\tgreen\t"
                           "red|green\ta colour\n"
                           "option\thelp\th\t\tflag\t\t\tshow this text\n"
                           "option\tversion\t\t\tflag\t\t\tshow the version\n"
                           "example\ttool --flag\n");
    EXPECT_EQ(Complaint({"--help=chair"}), "cannot use the option --help=chair");
}

TEST_F(OptionsTest, ADefaultThatOnlyTheTextCanSayIsNotShown) {
    number_ = -4;
    EXPECT_EQ(Parse({"--help"}), OPTIONS_SHOWN);
    EXPECT_EQ(output_.find("-4"), std::string::npos) << output_;
    EXPECT_NE(output_.find("(default 1.5)"), std::string::npos) << output_;
}

} // namespace

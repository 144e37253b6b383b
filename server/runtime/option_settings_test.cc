#include "server/runtime/option_settings.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

const char *const kColours[] = {"red", "green", nullptr};

struct Values {
    bool flag = false;
    std::int64_t number = 7;
    std::int64_t milliseconds = 250;
    const char *text = nullptr;
    option_list list = {{"127.0.0.1", "::1"}, 2, true};
    int choice = 1;
};

std::string Settings(Values *values) {
    const std::vector<option_spec> specs = {
        {"flag", nullptr, "", OPTION_FLAG, &values->flag, 0, 0, nullptr},
        {"number", "N", "", OPTION_INTEGER, &values->number, 0, 10, nullptr},
        {"also-number", "N", "", OPTION_INTEGER, &values->number, 0, 10, nullptr},
        {"time", "SECONDS", "", OPTION_SECONDS, &values->milliseconds, 0, 1000, nullptr},
        {"text", "TEXT", "", OPTION_TEXT, &values->text, 0, 0, nullptr},
        {"list", "TEXT", "", OPTION_TEXT_LIST, &values->list, 0, 0, nullptr},
        {"choice", "COLOUR", "", OPTION_CHOICE, &values->choice, 0, 0, kColours},
    };
    options options = {};
    options.specs = specs.data();
    options.spec_count = specs.size();
    char text[OPTION_SETTINGS_CAPACITY];
    option_settings_write(&options, text);
    return text;
}

TEST(OptionSettings, AreLinesThatACommandLineTakes) {
    Values values;
    EXPECT_EQ(Settings(&values),
              "--number=7\n--time=0.25\n--list=127.0.0.1\n--list=::1\n--choice=green\n");
    values.flag = true;
    values.text = "numbers.log";
    values.list.count = 0;
    EXPECT_EQ(Settings(&values),
              "--flag\n--number=7\n--time=0.25\n--text=numbers.log\n--choice=green\n");
}

TEST(OptionSettings, LeaveOutANumberThatStandsForNone) {
    Values values;
    values.number = -1;
    EXPECT_EQ(Settings(&values).find("--number"), std::string::npos);
}

TEST(OptionSettings, HideALogin) {
    Values values;
    values.text = "redis://user:p@ss@host:6379/0";
    EXPECT_NE(Settings(&values).find("--text=redis://***@host:6379/0\n"), std::string::npos);
    values.text = "redis://host/a@b";
    EXPECT_NE(Settings(&values).find("--text=redis://host/a@b\n"), std::string::npos);
    values.text = "mysql://:secret@host";
    EXPECT_EQ(Settings(&values).find("secret"), std::string::npos);
}

TEST(OptionSettings, KeepOneLineForAValue) {
    Values values;
    values.text = "a\nb";
    EXPECT_NE(Settings(&values).find("--text=a b\n"), std::string::npos);
}

TEST(OptionSettings, LeaveOutWhatThereIsNoRoomFor) {
    Values values;
    const std::string longest(OPTION_SETTINGS_CAPACITY, 'x');
    values.text = longest.c_str();
    EXPECT_EQ(Settings(&values),
              "--number=7\n--time=0.25\n--list=127.0.0.1\n--list=::1\n--choice=green\n");
}

} // namespace

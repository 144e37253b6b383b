#include "server/station/reflection.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/station/descriptors.h"
#include "server/station/method.h"
#include "server/station/wire.h"

namespace {

using std::string_literals::operator""s;

std::string Text(struct wire_bytes bytes) {
    return std::string(reinterpret_cast<const char *>(bytes.bytes), bytes.size);
}

struct wire_bytes Bytes(const std::string &text) {
    return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

std::string Question(uint32_t field_number, const std::string &text) {
    std::string question(600, '\0');
    struct wire_writer writer = {reinterpret_cast<uint8_t *>(question.data()), question.size(), 0};
    wire_write_bytes_field(&writer, field_number, Bytes(text));
    question.resize(writer.size);
    return question;
}

std::string Answer(const std::string &question) {
    uint8_t answer[REFLECTION_ANSWER_SIZE_MAX];
    size_t size = 0;
    EXPECT_TRUE(reflection_answer(Bytes(question), answer, &size));
    return Text({answer, size});
}

// All values of a field of bytes in a message.
std::vector<std::string> Values(const std::string &message, uint32_t number) {
    std::vector<std::string> values;
    struct wire_reader reader = wire_read(Bytes(message));
    struct wire_field field;
    while (wire_next_field(&reader, &field)) {
        if (field.number == number) {
            values.push_back(field.type == WIRE_BYTES ? Text(field.bytes)
                                                      : std::to_string(field.value));
        }
    }
    EXPECT_FALSE(reader.is_malformed);
    return values;
}

// The name of the file in the answer; the error's code where there is none.
std::string FileOf(const std::string &question) {
    const std::string answer = Answer(question);
    EXPECT_EQ(Values(answer, 2), std::vector<std::string>{question});
    if (Values(answer, 4).empty()) {
        return "error " + Values(Values(answer, 7).at(0), 1).at(0);
    }
    return Values(Values(Values(answer, 4).at(0), 1).at(0), 1).at(0);
}

TEST(Reflection, ListsTheServices) {
    const std::vector<std::string> services = Values(Values(Answer(Question(7, "*")), 6).at(0), 1);
    std::vector<std::string> names;
    for (const std::string &service : services) {
        names.push_back(Values(service, 1).at(0));
        EXPECT_TRUE(method_is_service(Bytes(names.back()))) << names.back();
    }
    EXPECT_EQ(names, (std::vector<std::string>{"grpc.health.v1.Health",
                                               "grpc.reflection.v1.ServerReflection",
                                               "grpc.reflection.v1alpha.ServerReflection",
                                               "numbers.Numbers", "station.v1.NumbersStation"}));
}

TEST(Reflection, FindsTheFileOfEachSymbol) {
    for (const char *symbol :
         {"numbers.Numbers", "numbers.Numbers.GetNumbers", "numbers.NumbersRequest"}) {
        EXPECT_EQ(FileOf(Question(4, symbol)), "numbers.proto") << symbol;
    }
    for (const char *symbol :
         {"grpc.health.v1.HealthCheckResponse.ServingStatus", "grpc.health.v1.Health.Watch"}) {
        EXPECT_EQ(FileOf(Question(4, symbol)), "grpc/health/v1/health.proto") << symbol;
    }
    for (const char *symbol :
         {"", ".", "numbers", "numbers.", "numbers.Number", "Numbers", "numbers.Numbers.",
          "numbers.Numbers.GetNumbers.x", ".numbers.Numbers", "numbers.NumbersRequest.UUID.x"}) {
        EXPECT_EQ(FileOf(Question(4, symbol)), "error 5") << symbol;
    }
}

TEST(Reflection, FindsFilesByName) {
    EXPECT_EQ(FileOf(Question(3, "station/v1/station.proto")), "station/v1/station.proto");
    EXPECT_EQ(FileOf(Question(3, "station.proto")), "error 5");
    EXPECT_EQ(FileOf(Question(3, "")), "error 5");
}

TEST(Reflection, ThereAreNoExtensions) {
    EXPECT_EQ(FileOf(Question(5, "\x0a\x01x\x10\x01"s)), "error 5");
    EXPECT_EQ(FileOf(Question(6, "no.Such")), "error 5");
    const std::string answer = Answer(Question(6, "station.v1.Number"));
    EXPECT_EQ(Values(Values(answer, 5).at(0), 1), std::vector<std::string>{"station.v1.Number"});
}

TEST(Reflection, AQuestionWithoutOneIsAnError) {
    EXPECT_EQ(FileOf(""), "error 3");
    uint8_t answer[REFLECTION_ANSWER_SIZE_MAX];
    size_t size;
    EXPECT_FALSE(reflection_answer(Bytes("\x1a\x05"s), answer, &size));
}

TEST(Reflection, TheLongestAnswerFits) {
    struct wire_reader reader = wire_read(descriptors_set());
    struct wire_field file;
    while (wire_next_field(&reader, &file)) {
        EXPECT_LE(file.bytes.size, size_t{REFLECTION_DESCRIPTOR_SIZE_MAX});
    }
    // A host as long as a message can hold; it comes back twice.
    const std::string name = "grpc/reflection/v1alpha/reflection.proto";
    const std::string question = Question(3, name);
    const std::string host(LIMIT_MESSAGE_SIZE_MAX - question.size() - 3, 'h');
    EXPECT_EQ(Values(Answer(Question(1, host) + question), 1), std::vector<std::string>{host});
}

} // namespace

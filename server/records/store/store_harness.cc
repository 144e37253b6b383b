#include "server/records/store/store_harness.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "server/records/json/limits.h"
#include "server/records/json/record_line.h"
#include "server/records/store/mariadb_server.h"

namespace harness {
namespace {

const logger kLogger = {LOG_LEVEL_INFO, STDERR_FILENO};

// Of all stores of this program: what they refuse is logged.
rejects *Rejects() {
    static rejects *const shared = [] {
        auto *made = new rejects();
        char message[MESSAGE_SIZE] = "";
        EXPECT_TRUE(rejects_open(made, nullptr, &kLogger, message)) << message;
        return made;
    }();
    return shared;
}

record_text Text(const std::string &text) {
    return {text.data(), text.size()};
}

} // namespace

std::ostream &operator<<(std::ostream &stream, const Person &person) {
    return stream << person.id << "|" << person.name << "|" << person.age;
}

People ManyPeople(size_t count) {
    People people;
    for (size_t i = 0; i < count; i++) {
        people.push_back({std::to_string(i), "name " + std::to_string(i), "30"});
    }
    return people;
}

Batch::Batch(const People &people, std::uint64_t sequence) : people_(people) {
    for (const Person &person : people_) {
        records_.push_back({Text(person.id), Text(person.name), Text(person.age)});
    }
    size_t size = 0;
    for (const record &record : records_) {
        size += record_lines_size_of(&record);
    }
    bytes_.resize(size);
    lines_.resize(records_.size());
    record_lines lines = {bytes_.data(), size, 0, lines_.data(), lines_.size(), 0};
    for (const record &record : records_) {
        EXPECT_TRUE(record_lines_append(&lines, &record));
    }
    batch_ = {lines_.data(), lines_.size(), 0, sequence, 0};
}

OpenStore Open(const std::string &location, bool syncs_always) {
    store_options options = {location.c_str(), MariadbServer::kPassword, syncs_always, Rejects(),
                             &kLogger};
    bool is_usage_error = false;
    char message[MESSAGE_SIZE] = "";
    store *store = store_open(&options, &is_usage_error, message);
    EXPECT_NE(store, nullptr) << message;
    return {store, store_close};
}

std::string WhyNotOpen(const std::string &location) {
    store_options options = {location.c_str(), MariadbServer::kPassword, false, Rejects(),
                             &kLogger};
    bool is_usage_error = false;
    char message[MESSAGE_SIZE] = "";
    store *store = store_open(&options, &is_usage_error, message);
    if (store != nullptr) {
        store_close(store);
        return "it can";
    }
    return (is_usage_error ? "usage: " : "") + std::string(message);
}

std::string Writer::Write(const Batch &batch) {
    char message[MESSAGE_SIZE] = "";
    if (store_writer_connect(writer_, message) == STORE_OK &&
        store_writer_write(writer_, batch.get(), message) == STORE_OK) {
        return "";
    }
    return message;
}

Reader::Reader(store *store, const std::string *id) : reader_(store_reader_open(store)) {
    if (id != nullptr) {
        id_ = *id;
    }
    id_text_ = Text(id_);
    char message[MESSAGE_SIZE] = "";
    is_begun_ =
        store_reader_connect(reader_, message) == STORE_OK &&
        store_reader_begin(reader_, id == nullptr ? nullptr : &id_text_, message) == STORE_OK;
    EXPECT_TRUE(is_begun_) << message;
}

People Reader::Rest() {
    People people;
    record record;
    char message[MESSAGE_SIZE] = "";
    store_status status = is_begun_ ? STORE_OK : STORE_END;
    while (status == STORE_OK) {
        status = store_reader_next(reader_, &record, message);
        if (status == STORE_OK) {
            people.push_back({{record.id.bytes, record.id.size},
                              {record.name.bytes, record.name.size},
                              {record.age.bytes, record.age.size}});
        }
    }
    EXPECT_EQ(status, STORE_END) << message;
    return people;
}

} // namespace harness

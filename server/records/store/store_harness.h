// What tests of a store have in common: people as its records, and a store, a writer and a reader
// whose failures are texts.
//
// Ownership: a store outlives its writers and readers. Threading: one thread.
#ifndef SERVER_RECORDS_STORE_STORE_HARNESS_H_
#define SERVER_RECORDS_STORE_STORE_HARNESS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "server/records/store/store_open.h"

namespace harness {

struct Person {
    std::string id, name, age;
};
inline bool operator==(const Person &left, const Person &right) {
    return left.id == right.id && left.name == right.name && left.age == right.age;
}
std::ostream &operator<<(std::ostream &stream, const Person &person);

using People = std::vector<Person>;

// So many different people, with their numbers as ids.
People ManyPeople(size_t count);

// A batch with texts of its own.
class Batch {
  public:
    Batch(const People &people, std::uint64_t sequence);
    Batch(const Batch &) = delete;
    Batch &operator=(const Batch &) = delete;

    const record_batch *get() const {
        return &batch_;
    }

  private:
    People people_;
    std::vector<record> records_;
    std::vector<char> bytes_;
    std::vector<record_line> lines_;
    record_batch batch_;
};

// An open store; fails the running test where it cannot be opened. A MySQL store gets the password
// of MariadbServer.
using OpenStore = std::unique_ptr<store, decltype(&store_close)>;
OpenStore Open(const std::string &location, bool syncs_always = false);

// Why the store cannot be opened, "usage: " in front when the location is at fault.
std::string WhyNotOpen(const std::string &location);

// The first writer of a store.
class Writer {
  public:
    explicit Writer(store *store) : writer_(store_writer_open(store)) {}
    ~Writer() {
        store_writer_close(writer_);
    }
    Writer(const Writer &) = delete;
    Writer &operator=(const Writer &) = delete;

    // Empty, or why the batch could not be written.
    std::string Write(const Batch &batch);
    // Writes people as the next batch.
    std::string Write(const People &people) {
        return Write(Batch(people, ++sequence_));
    }

  private:
    store_writer *writer_;
    std::uint64_t sequence_ = 0;
};

// A reader that has begun: of all records, or of those with an id.
class Reader {
  public:
    explicit Reader(store *store, const std::string *id = nullptr);
    ~Reader() {
        store_reader_end(reader_);
        store_reader_close(reader_);
    }
    Reader(const Reader &) = delete;
    Reader &operator=(const Reader &) = delete;

    // What it has not read yet. Fails the running test where that cannot be read.
    People Rest();

  private:
    store_reader *reader_;
    std::string id_;
    record_text id_text_;
    bool is_begun_;
};

inline People ReadAll(store *store) {
    return Reader(store).Rest();
}

inline People Find(store *store, const std::string &id) {
    return Reader(store, &id).Rest();
}

} // namespace harness

#endif // SERVER_RECORDS_STORE_STORE_HARNESS_H_

// Nothing is lost and nothing is there twice: kill -9, stores that go away and come back, and
// queries while records move from the buffer into the store.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "server/records/records_process.h"
#include "testing/patience.h"

namespace harness {
namespace {

constexpr size_t kRecordCount = 100000;
constexpr size_t kSenderCount = 5;
constexpr std::chrono::minutes kLongPatience{2};

std::string PrefixOf(size_t sender_index) {
    return std::string(1, static_cast<char>('a' + sender_index));
}

// Senders that work at the same time: each sends its share of kRecordCount records, "a0", "a1", …
class Senders {
  public:
    explicit Senders(std::uint16_t port) {
        for (size_t index = 0; index < kSenderCount; index++) {
            shares_.push_back(MakeIds(PrefixOf(index), kRecordCount / kSenderCount));
            clients_.emplace_back(port);
        }
        for (size_t index = 0; index < kSenderCount; index++) {
            threads_.emplace_back([this, index] {
                TcpClient &client = clients_[index];
                client.Send(RecordLines(shares_[index]), kLongPatience);
                client.HalfClose();
                client.WaitForEnding(kLongPatience);
            });
        }
    }
    ~Senders() {
        Wait();
    }
    Senders(const Senders &) = delete;
    Senders &operator=(const Senders &) = delete;

    void Wait() {
        for (std::thread &thread : threads_) {
            if (thread.joinable()) {
                thread.join();
            }
        }
    }
    Ids AllIds() const {
        Ids all;
        for (const Ids &share : shares_) {
            all.insert(all.end(), share.begin(), share.end());
        }
        return all;
    }
    // Whether each of them was told that all its records are stored. After Wait.
    bool AreAllAcknowledged() const {
        const std::string expected =
            "{\"stored\": " + std::to_string(kRecordCount / kSenderCount) + "}\n";
        return std::all_of(clients_.begin(), clients_.end(),
                           [&](const TcpClient &client) { return client.received() == expected; });
    }

  private:
    std::vector<Ids> shares_;
    std::vector<TcpClient> clients_; // each belongs to its thread until Wait
    std::vector<std::thread> threads_;
};

class Reliability : public StoresTest {
  protected:
    std::unique_ptr<RecordsServer> Start() const {
        return std::make_unique<RecordsServer>(
            std::vector<std::string>{"--store=" + store_->Location(), "--ack"});
    }
};

// What the server had read is in the store: none of it twice, and of each sender the records from
// the first one on without a gap.
void ExpectPrefixes(const Ids &ids) {
    std::map<char, std::set<size_t>> numbers_of;
    for (const std::string &id : ids) {
        EXPECT_TRUE(numbers_of[id[0]].insert(std::stoul(id.substr(1))).second) << id << " twice";
    }
    for (const auto &[prefix, numbers] : numbers_of) {
        EXPECT_EQ(*numbers.rbegin() + 1, numbers.size()) << "a gap in what " << prefix << " sent";
    }
}

// Waits until the store holds a random number of records, one at the least: an instant that depends
// on the server's progress, and so means the same under a sanitizer. Most instants come early.
// Result: how many records were seen there.
size_t AwaitRandomInstant(const TestedStore &store, std::mt19937 *random) {
    const size_t highest_count = (*random)() % kRecordCount + 1;
    const size_t wanted_count = (*random)() % highest_count + 1;
    size_t count = 0;
    EXPECT_TRUE(Await(
        [&] {
            count = store.CountStored();
            return count >= wanted_count;
        },
        kLongPatience));
    return count;
}

TEST_P(Reliability, KillNineAtRandomInstants) {
    constexpr int kRoundCount = 10;
    constexpr unsigned kSeed = 19;
    std::mt19937 random(kSeed);
    for (int round = 0; round < kRoundCount; round++) {
        auto server = Start();
        Senders senders(server->ingest_port());
        const size_t seen_count = AwaitRandomInstant(*store_, &random);
        server->process().Signal(SIGKILL);
        EXPECT_EQ(server->process().WaitForExit(), Killed(SIGKILL));
        senders.Wait();

        // The file store mends a torn line at its next start, the databases when they are read.
        auto successor = Start();
        Ids ids = store_->ReadIds();
        std::sort(ids.begin(), ids.end());
        EXPECT_GE(ids.size(), seen_count) << "what was stored is still there";
        EXPECT_EQ(std::adjacent_find(ids.begin(), ids.end()), ids.end());
        if (std::string(GetParam()) != "mysql") {
            ExpectPrefixes(ids);
        }
        std::cout << "killed with " << ids.size() << " of " << kRecordCount << " stored\n";

        // What is missing is sent again, and then each record is there once.
        Ids missing;
        Ids all = senders.AllIds();
        std::sort(all.begin(), all.end());
        std::set_difference(all.begin(), all.end(), ids.begin(), ids.end(),
                            std::back_inserter(missing));
        EXPECT_EQ(successor->Ingest(RecordLines(missing)),
                  "{\"stored\": " + std::to_string(missing.size()) + "}\n");
        ExpectEachOnce(store_->ReadIds(), all);
        EXPECT_EQ(successor->Stop(), Exited(0));
        store_ = MakeTestedStore(GetParam());
    }
}

TEST_P(Reliability, SigtermStoresEverythingThatWasSent) {
    for (int round = 0; round < 3; round++) {
        auto server = Start();
        std::vector<std::unique_ptr<TcpClient>> clients;
        Ids all;
        for (size_t index = 0; index < kSenderCount; index++) {
            // Little enough for the kernel to hold, so that it can all be under way.
            Ids ids = MakeIds(PrefixOf(index) + std::to_string(round) + "-", 2000);
            clients.push_back(std::make_unique<TcpClient>(server->ingest_port()));
            ASSERT_TRUE(clients.back()->Send(RecordLines(ids)));
            all.insert(all.end(), ids.begin(), ids.end());
        }
        EXPECT_EQ(server->Stop(), Exited(0));
        Ids stored = store_->ReadIds();
        ExpectEachOnce(stored, all);
        store_ = MakeTestedStore(GetParam());
    }
}

// Every answer to `all` is what had come up to some instant: nothing twice, of each sender the
// first records without a gap, and never less than an earlier answer.
TEST_P(Reliability, ReadsAcrossBufferAndStore) {
    auto server = Start();
    std::atomic<bool> is_over{false};
    size_t answer_count = 0;
    size_t answer_count_between = 0;
    std::thread reader([&] {
        size_t last_size = 0;
        while (!is_over) {
            Ids ids = IdsOf(server->Query("all\n"));
            ExpectPrefixes(ids);
            EXPECT_GE(ids.size(), last_size) << "a record was missing from an answer";
            last_size = ids.size();
            answer_count++;
            answer_count_between += last_size > 0 && last_size < kRecordCount;
        }
    });
    Senders senders(server->ingest_port());
    senders.Wait();
    is_over = true;
    reader.join();
    EXPECT_TRUE(senders.AreAllAcknowledged());
    std::cout << answer_count << " answers, " << answer_count_between << " of them on the way\n";
    EXPECT_GT(answer_count, 0u);
    ExpectEachOnce(IdsOf(server->Query("all\n")), senders.AllIds());
    ExpectEachOnce(store_->ReadIds(), senders.AllIds());
    EXPECT_EQ(server->Stop(), Exited(0));
}

INSTANTIATE_TEST_SUITE_P(Stores, Reliability, testing::Values("sqlite", "file", "mysql"), KindOf);

class StoreDown : public Reliability {};

// SQLite: another program locks the database. MariaDB: it is killed, and started again.
TEST_P(StoreDown, ForFiveSecondsUnderLoad) {
    auto server = Start();
    store_->GoDown();
    Senders senders(server->ingest_port());
    ASSERT_TRUE(server->process().WaitForErrors(HasLineWith("the store takes no records")));
    // The specification's five seconds.
    std::this_thread::sleep_for(std::chrono::seconds(5));
    store_->ComeBack();
    senders.Wait();
    EXPECT_TRUE(senders.AreAllAcknowledged());
    ExpectEachOnce(store_->ReadIds(), senders.AllIds());
    ExpectEachOnce(IdsOf(server->Query("all\n")), senders.AllIds());
    EXPECT_EQ(server->CountMessages(" warning "), 1u) << server->process().errors();
    // A worker may yet find its old connection dead after another one has a new one.
    EXPECT_GE(server->CountMessages("the store takes records again"), 1u);
    EXPECT_EQ(server->Stop(), Exited(0));
}

TEST_P(StoreDown, AgainAndAgain) {
    auto server = Start();
    Senders senders(server->ingest_port());
    for (int round = 0; round < 5; round++) {
        store_->GoDown();
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        store_->ComeBack();
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    senders.Wait();
    EXPECT_TRUE(senders.AreAllAcknowledged());
    ExpectEachOnce(store_->ReadIds(), senders.AllIds());
    EXPECT_EQ(server->Stop(), Exited(0));
}

TEST_P(StoreDown, SigtermWaitsForTheStore) {
    auto server = Start();
    EXPECT_EQ(server->Ingest(RecordLines({"a0"})), "{\"stored\": 1}\n");
    store_->GoDown();
    TcpClient client(server->ingest_port());
    ASSERT_TRUE(client.Send(RecordLines({"a1", "a2"})));
    ASSERT_TRUE(server->process().WaitForErrors(HasLineWith("the store takes no records")));
    server->process().Signal(SIGTERM);
    ASSERT_TRUE(server->process().WaitForErrors(HasLineWith("shutting down")));
    store_->ComeBack();
    EXPECT_EQ(server->process().WaitForExit(), Exited(0));
    EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
    EXPECT_EQ(client.received(), "{\"stored\": 2}\n");
    ExpectEachOnce(store_->ReadIds(), {"a0", "a1", "a2"});
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreDown, testing::Values("sqlite", "mysql"), KindOf);

} // namespace
} // namespace harness

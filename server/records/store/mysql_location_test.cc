#include "server/records/store/mysql_location.h"

#include <gtest/gtest.h>

#include <string>

#include "server/records/limits.h"

namespace {

// "user host port database", or what is wrong.
std::string Parse(const char *text) {
    mysql_location location;
    char message[MESSAGE_SIZE];
    if (!mysql_location_parse(&location, text, message)) {
        return message;
    }
    std::string result = std::string(location.user) + " " + location.host + " " +
                         std::to_string(location.port) + " " + location.database;
    mysql_location_destroy(&location);
    return result;
}

TEST(MysqlLocation, Good) {
    EXPECT_EQ(Parse("root@127.0.0.1:3307/tsdb"), "root 127.0.0.1 3307 tsdb");
    EXPECT_EQ(Parse("root@localhost/tsdb"), "root localhost 3306 tsdb");
    EXPECT_EQ(Parse("u@[::1]:65535/d"), "u ::1 65535 d");
    EXPECT_EQ(Parse("u@[::1]/d"), "u ::1 3306 d");
}

TEST(MysqlLocation, Bad) {
    const char *const kBad = "a MySQL store is mysql://USER@HOST[:PORT]/DATABASE";
    for (const char *text :
         {"", "@", "/", "u@h", "u@h/", "u@/d", "@h/d", "h/d", "u@h:/d", "u@h:0/d", "u@h:65536/d",
          "u@h:1x/d", "u@h:-1/d", "u@[::1/d", "u@[::1]x/d"}) {
        EXPECT_EQ(Parse(text), kBad) << text;
    }
}

TEST(MysqlLocation, NoPassword) {
    EXPECT_EQ(Parse("u:secret@h/d"), "a password does not belong in the store's location");
}

} // namespace

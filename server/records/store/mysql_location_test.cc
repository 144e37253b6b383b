#include "server/records/store/mysql_location.h"

#include <gtest/gtest.h>

#include <string>

#include "server/records/json/limits.h"

namespace {

// "user host port database", or what is wrong.
std::string Parse(const char *text) {
    mysql_location location;
    char message[MESSAGE_SIZE];
    if (!mysql_location_parse(&location, text, message)) {
        return message;
    }
    std::string result = std::string(location.user) + " ";
    for (size_t index = 0; index < location.host_count && location.socket == nullptr; index++) {
        result += std::string(location.hosts[index].name) + " " +
                  std::to_string(location.hosts[index].port) + " ";
    }
    result += location.socket == nullptr ? "" : std::string(location.socket) + " ";
    result += location.database;
    if (location.requires_tls) {
        result += std::string(" TLS ") + (location.ssl_ca == nullptr ? "" : location.ssl_ca);
    }
    mysql_location_destroy(&location);
    return result;
}

TEST(MysqlLocation, Good) {
    EXPECT_EQ(Parse("root@127.0.0.1:3307/tsdb"), "root 127.0.0.1 3307 tsdb");
    EXPECT_EQ(Parse("root@localhost/tsdb"), "root localhost 3306 tsdb");
    EXPECT_EQ(Parse("u@[::1]:65535/d"), "u ::1 65535 d");
    EXPECT_EQ(Parse("u@[::1]/d"), "u ::1 3306 d");
}

TEST(MysqlLocation, SeveralHosts) {
    EXPECT_EQ(Parse("u@a,b:3307,[::1],[::2]:1/d"), "u a 3306 b 3307 ::1 3306 ::2 1 d");
    std::string many = "u@h";
    for (int count = 1; count < MYSQL_HOSTS_MAX; count++) {
        many += ",h";
    }
    EXPECT_EQ(Parse((many + "/d").c_str()).rfind("u h 3306 h 3306", 0), 0u);
    EXPECT_EQ(Parse((many + ",h/d").c_str()).rfind("a MySQL store is", 0), 0u);
}

TEST(MysqlLocation, WhatPercentStandsFor) {
    EXPECT_EQ(Parse("joe%40example.org@h/d%2fe"), "joe@example.org h 3306 d/e");
    EXPECT_EQ(Parse("%3a@h/%25"), ": h 3306 %");
}

TEST(MysqlLocation, Options) {
    EXPECT_EQ(Parse("u@h/d?ssl-ca=/etc/ca%20file.pem"), "u h 3306 d TLS /etc/ca file.pem");
    EXPECT_EQ(Parse("u@h/d?ssl-mode=required"), "u h 3306 d TLS ");
    EXPECT_EQ(Parse("u@/d?socket=/run/mysqld/mysqld.sock"), "u /run/mysqld/mysqld.sock d");
    EXPECT_EQ(Parse("u@/d?socket=/s&ssl-ca=ca"), "u /s d TLS ca");
}

TEST(MysqlLocation, Bad) {
    const char *const kBad = "a MySQL store is mysql://USER@HOST[:PORT][,HOST...]/DATABASE, with "
                             "?ssl-ca=PATH, ?ssl-mode=required or ?socket=PATH (and no HOST)";
    for (const char *text : {"",
                             "@",
                             "/",
                             "u@h",
                             "u@h/",
                             "u@/d",
                             "@h/d",
                             "h/d",
                             "u@h:/d",
                             "u@h:0/d",
                             "u@h:65536/d",
                             "u@h:1x/d",
                             "u@h:-1/d",
                             "u@[::1/d",
                             "u@,/d",
                             "u@a,/d",
                             "u@,a/d",
                             "u@a,,b/d",
                             "u@a,b/d?socket=/s",
                             "u@[::1]x/d",
                             "u%@h/d",
                             "u%4@h/d",
                             "u%4x@h/d",
                             "u%00@h/d",
                             "u@h/%",
                             "u@h/d?",
                             "u@h/d?ssl-ca",
                             "u@h/d?ssl-ca=",
                             "u@h/d?ssl-mode=off",
                             "u@h/d?tls=1",
                             "u@h/d?socket=/s",
                             "u@/d?socket=/s&",
                             "u@/d?ssl-ca=c"}) {
        EXPECT_EQ(Parse(text), kBad) << text;
    }
}

TEST(MysqlLocation, NoPassword) {
    EXPECT_EQ(Parse("u:secret@h/d"), "a password does not belong in the store's location");
}

} // namespace

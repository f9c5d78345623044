#include "app/service_notices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

namespace gateway::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// What the service manager listens on; `name` begins with @ for an abstract one.
class ServiceNoticesTest : public testing::Test {
 protected:
  void Listen(const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    unlink(name.c_str());
    ASSERT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&address),
                   offsetof(sockaddr_un, sun_path) + name.size()),
              0)
        << std::strerror(errno);
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  std::string Next() const {
    char text[512];
    const ssize_t size = recv(socket_, text, sizeof text, MSG_DONTWAIT);
    return size < 0 ? "" : std::string(text, static_cast<std::size_t>(size));
  }
  std::string Path() const {
    return testing::TempDir() + "notices-" + std::to_string(getpid()) + ".sock";
  }
  void TearDown() override {
    if (socket_ >= 0) close(socket_);
    unlink(Path().c_str());
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) unsetenv(name);
  }

  int socket_ = -1;
};

TEST_F(ServiceNoticesTest, NobodyIsToldWithoutASocket) {
  setenv("WATCHDOG_USEC", "1000", 1);
  const auto notices = ServiceNotices::FromEnvironment();
  ASSERT_TRUE(notices.ok());
  EXPECT_EQ(notices->watchdog(), Duration::zero());
  notices->Ready("x");
  notices->Alive();
}

TEST_F(ServiceNoticesTest, TellsHowTheProgramStands) {
  Listen(Path());
  const auto notices = ServiceNotices::FromEnvironment();
  ASSERT_TRUE(notices.ok()) << notices.status();
  EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr) << "children must not have it";
  EXPECT_EQ(notices->watchdog(), Duration::zero());
  notices->Ready("Serves at 127.0.0.1:1");
  EXPECT_EQ(Next(), "READY=1\nSTATUS=Serves at 127.0.0.1:1");
  notices->Reloading();
  EXPECT_THAT(Next(), StartsWith("RELOADING=1\nMONOTONIC_USEC="));
  notices->Stopping(seconds(60));
  EXPECT_EQ(Next(), "STOPPING=1\nSTATUS=Ends in order\nEXTEND_TIMEOUT_USEC=60000000");
}

TEST_F(ServiceNoticesTest, AnAbstractSocketIsOneToo) {
  Listen("@pictory-notices-" + std::to_string(getpid()));
  const auto notices = ServiceNotices::FromEnvironment();
  ASSERT_TRUE(notices.ok()) << notices.status();
  notices->Alive();
  EXPECT_EQ(Next(), "WATCHDOG=1");
}

TEST_F(ServiceNoticesTest, TheWatchdogIsOfThisProcess) {
  Listen(Path());
  setenv("WATCHDOG_USEC", "1500000", 1);
  setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  auto notices = ServiceNotices::FromEnvironment();
  ASSERT_TRUE(notices.ok());
  EXPECT_EQ(notices->watchdog(), milliseconds(1500));
  EXPECT_EQ(std::getenv("WATCHDOG_USEC"), nullptr);
  notices->Stopping(seconds(1));
  EXPECT_THAT(Next(), HasSubstr("\nWATCHDOG_USEC=1000000")) << "the end has a watchdog of its own";

  setenv("NOTIFY_SOCKET", Path().c_str(), 1);
  setenv("WATCHDOG_USEC", "1500000", 1);
  setenv("WATCHDOG_PID", "1", 1);
  notices = ServiceNotices::FromEnvironment();
  ASSERT_TRUE(notices.ok());
  EXPECT_EQ(notices->watchdog(), Duration::zero()) << "meant for the process that started this one";
}

TEST_F(ServiceNoticesTest, WrongVariablesAreNamed) {
  for (const std::string& path : {std::string("relative"), "/" + std::string(200, 'x')}) {
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
    EXPECT_THAT(std::string(ServiceNotices::FromEnvironment().status().message()),
                HasSubstr("NOTIFY_SOCKET"));
  }
  Listen(Path());
  for (const char* interval : {"soon", "0", "-1", "1s"}) {
    setenv("NOTIFY_SOCKET", Path().c_str(), 1);
    setenv("WATCHDOG_USEC", interval, 1);
    EXPECT_THAT(std::string(ServiceNotices::FromEnvironment().status().message()),
                HasSubstr("WATCHDOG_USEC"));
  }
}

}  // namespace
}  // namespace gateway::app

#include "app/tls_files.h"

#include <gmock/gmock.h>

#include "base/limits.h"
#include "tls_on_disk.h"

namespace gateway::app {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class TlsFilesTest : public TlsOnDisk {
 protected:
  TlsFilesTest() {
    Write(good_);
    Write("clients", authority_.certificate(), 0644);
  }
  std::string Why() const { return TlsOnDisk::Why(ReadTlsFiles(Files(true))); }

  const test::Issued good_ = authority_.Issue("DNS:gateway.example");
};

TEST_F(TlsFilesTest, AreReadWhereTheyBelongTogether) {
  const auto read = ReadTlsFiles(Files(true));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->keys.certificate, good_.certificate);
  EXPECT_EQ(read->keys.key.Reveal(), good_.key);
  EXPECT_EQ(read->keys.client_ca, authority_.certificate());
  EXPECT_EQ(read->facts.names, "DNS:gateway.example");
  EXPECT_EQ(ReadTlsFiles(Files())->keys.client_ca, "");
}

TEST_F(TlsFilesTest, AFileThatIsWrongIsNamedWithItsFlag) {
  Write("key", authority_.Issue("").key);
  EXPECT_THAT(Why(), StartsWith("--tls-key-file: " + Path("key") + " does not fit"));
  Write("key", "nothing");
  EXPECT_THAT(Why(), StartsWith("--tls-key-file: " + Path("key") + " holds no private key"));
  EXPECT_EQ(Why().find("nothing"), std::string::npos) << "what it says is not for the log";
  Write("key", test::Encrypted(good_.key));
  EXPECT_THAT(Why(), HasSubstr("is encrypted"));
  Write(good_);
  Write("cert", "");
  EXPECT_THAT(Why(), StartsWith("--tls-cert-file: " + Path("cert") + " holds no certificate"));
  std::filesystem::remove(Path("cert"));
  EXPECT_THAT(Why(), AllOf(StartsWith("--tls-cert-file: "), HasSubstr("No such file")));
  std::filesystem::create_directory(Path("cert"));
  EXPECT_THAT(Why(), HasSubstr("is no regular file"));
  std::filesystem::remove(Path("cert"));
  ASSERT_EQ(mkfifo(Path("cert").c_str(), 0600), 0);
  EXPECT_THAT(Why(), HasSubstr("is no regular file")) << "and nobody waits for a writer";
  Write(good_);
  Write("clients", good_.key);
  EXPECT_THAT(Why(), StartsWith("--tls-client-ca-file: " + Path("clients")));
  Write("clients", std::string(limits::kTlsFileMaxBytes + 1, 'a'));
  EXPECT_THAT(Why(), HasSubstr("has more than 1024 KiB"));
}

TEST_F(TlsFilesTest, TheKeyIsForItsOwnerOnly) {
  for (const unsigned mode : {0644u, 0640u, 0660u, 0602u}) {
    Write("key", good_.key, mode);
    EXPECT_THAT(Why(), AllOf(StartsWith("--tls-key-file: "), HasSubstr("read by others"))) << mode;
  }
  for (const unsigned mode : {0600u, 0400u}) {
    Write("key", good_.key, mode);
    EXPECT_EQ(Why(), "") << mode;
  }
}

// key → ..data/key, as Kubernetes mounts a secret.
TEST_F(TlsFilesTest, LinksAreFollowed) {
  std::filesystem::create_directory(Path("..2026"));
  for (const char* name : {"cert", "key"}) {
    std::filesystem::rename(Path(name), Path(std::string("..2026/") + name));
    std::filesystem::create_symlink(std::string("..data/") + name, Path(name));
  }
  std::filesystem::create_symlink("..2026", Path("..data"));
  EXPECT_EQ(Why(), "");
}

TEST(CertificateTroubleTest, IsItsTime) {
  using std::chrono::hours;
  const WallTime now{hours(1'000'000)};
  const rpc::CertificateFacts facts{
      .begins = now, .ends = now + hours(1000) + limits::kCertificateEndsSoon, .names = ""};
  EXPECT_EQ(CertificateTrouble(facts, now), "");
  EXPECT_EQ(CertificateTrouble(facts, now + hours(1000)), "");
  EXPECT_THAT(CertificateTrouble(facts, now - hours(1)),
              StartsWith("it begins only at 2084-01-29T"));
  EXPECT_THAT(CertificateTrouble(facts, now + hours(1001)), StartsWith("it ends at 2084-"));
  EXPECT_THAT(CertificateTrouble(facts, facts.ends), StartsWith("it has ended at 2084-"));
}

TEST(CertificateTroubleTest, OneOfADayIsNoTroubleBeforeItsLastThird) {
  using std::chrono::hours;
  const WallTime now{hours(1'000'000)};
  const rpc::CertificateFacts facts{.begins = now, .ends = now + hours(24), .names = ""};
  EXPECT_EQ(CertificateTrouble(facts, now + hours(15)), "");
  EXPECT_THAT(CertificateTrouble(facts, now + hours(17)), StartsWith("it ends at 2084-"));
}

}  // namespace
}  // namespace gateway::app

#include "sandbox/authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace gateway::sandbox {
namespace {

using ::testing::HasSubstr;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

Certificate Read(const std::string& pem) {
  BIO* const bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  Certificate certificate(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr), &X509_free);
  BIO_free(bio);
  return certificate;
}

std::string TextOf(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

class AuthorityTest : public ::testing::Test {
 protected:
  AuthorityTest() {
    std::string name = (std::filesystem::temp_directory_path() / "authority-XXXXXX").string();
    directory_ = std::filesystem::path(::mkdtemp(name.data())) / "tls";
  }
  ~AuthorityTest() override { std::filesystem::remove_all(directory_.parent_path()); }
  Authority Open() {
    absl::StatusOr<Authority> opened = Authority::Open(directory_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }
  std::string WhyNot() { return std::string(Authority::Open(directory_).status().message()); }

  std::filesystem::path directory_;
};

TEST_F(AuthorityTest, IsOneForAllThatStartAtOnce) {
  std::vector<std::thread> threads;
  std::vector<std::string> issuers(8);
  for (std::string& issuer : issuers) {
    threads.emplace_back([this, &issuer] {
      const absl::StatusOr<Authority> opened = Authority::Open(directory_);
      ASSERT_TRUE(opened.ok()) << opened.status();
      issuer = opened->Issue({"localhost"})->certificate_pem;
    });
  }
  for (std::thread& thread : threads) thread.join();
  const Certificate above = Read(TextOf(directory_ / "ca.pem"));
  for (const std::string& issued : issuers) {
    const Certificate leaf = Read(issued);
    ASSERT_NE(leaf, nullptr);
    EXPECT_EQ(X509_verify(leaf.get(), X509_get0_pubkey(above.get())), 1);
  }
}

TEST_F(AuthorityTest, IssuesForTheNamesItIsTold) {
  const Authority authority = Open();
  const absl::StatusOr<Issued> issued = authority.Issue({"localhost", "127.0.0.1", "::1"});
  ASSERT_TRUE(issued.ok()) << issued.status();
  const Certificate leaf = Read(issued->certificate_pem);
  const Certificate above = Read(TextOf(authority.file()));
  EXPECT_EQ(X509_verify(leaf.get(), X509_get0_pubkey(above.get())), 1);
  EXPECT_EQ(X509_check_host(leaf.get(), "localhost", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_ip_asc(leaf.get(), "127.0.0.1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(leaf.get(), "::1", 0), 1);
  EXPECT_NE(X509_check_host(leaf.get(), "api.pictory.ai", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_ca(leaf.get()), 0);
  EXPECT_EQ(X509_check_ca(above.get()), 1);
}

TEST_F(AuthorityTest, IsTheSameAtTheNextStart) {
  const std::string first = TextOf(Open().file());
  EXPECT_FALSE(first.empty());
  EXPECT_EQ(TextOf(Open().file()), first);
  EXPECT_EQ(X509_verify(Read(Open().Issue({"localhost"})->certificate_pem).get(),
                        X509_get0_pubkey(Read(first).get())),
            1);
}

TEST_F(AuthorityTest, ItsKeyIsReadByNobodyElse) {
  Open();
  struct stat info{};
  ASSERT_EQ(stat((directory_ / "ca-key.pem").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 077U, 0U);
}

TEST_F(AuthorityTest, ABrokenOneIsNotReplaced) {
  Open();
  const std::string other = [] {
    std::string name = (std::filesystem::temp_directory_path() / "authority-XXXXXX").string();
    const std::filesystem::path elsewhere = ::mkdtemp(name.data());
    EXPECT_TRUE(Authority::Open(elsewhere).ok());
    std::string key = TextOf(elsewhere / "ca-key.pem");
    std::filesystem::remove_all(elsewhere);
    return key;
  }();
  std::ofstream(directory_ / "ca-key.pem") << other;
  EXPECT_THAT(WhyNot(), HasSubstr("remove both"));
  std::filesystem::remove(directory_ / "ca-key.pem");
  EXPECT_NE(WhyNot(), "");
  // A start that ended before the certificate was there is begun again.
  std::filesystem::remove(directory_ / "ca.pem");
  Open();
}

}  // namespace
}  // namespace gateway::sandbox

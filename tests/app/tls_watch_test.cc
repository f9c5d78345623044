#include "app/tls_watch.h"

#include <gmock/gmock.h>

#include "base/limits.h"
#include "support/fake_clock.h"
#include "tls_on_disk.h"

namespace gateway::app {
namespace {

namespace fs = std::filesystem;

class TlsWatchTest : public TlsOnDisk {
 protected:
  using Found = FileWatch::Found;

  TlsWatchTest() { Write(first_); }
  TlsRead Read() const { return *ReadTlsFiles(Files()); }
  void Watch() {
    in_use_ = std::make_unique<TlsInUse>(Files(), Read(), keys_, clock_);
    watch_ = std::make_unique<FileWatch>(in_use_->Watched(), DigestOf(TextsOf(Read().keys)), clock_,
                                         clock_);
  }

  const test::Issued first_ = authority_.Issue("DNS:first.example");
  const test::Issued second_ = authority_.Issue("DNS:second.example");
  rpc::TlsKeys keys_{rpc::TlsKeySet()};
  test::FakeClock clock_;
  std::unique_ptr<TlsInUse> in_use_;
  std::unique_ptr<FileWatch> watch_;
};

TEST_F(TlsWatchTest, TakesWhatTheFilesSayNow) {
  Watch();
  EXPECT_EQ(watch_->Look(), Found::kSame);
  Write(second_);
  EXPECT_EQ(watch_->Look(), Found::kReplaced);
  EXPECT_EQ(watch_->Look(), Found::kSame);
  Write(first_);
  clock_.Advance(limits::kSecretLookInterval);
  EXPECT_EQ(watch_->Look(), Found::kSame) << "it has looked by itself";
}

TEST_F(TlsWatchTest, HalfAReplacementChangesNothing) {
  Watch();
  const WallTime ends = in_use_->facts().ends;
  const test::Issued longer = authority_.Issue("DNS:longer.example", 100'000);
  Write("cert", longer.certificate);
  EXPECT_EQ(watch_->Look(), Found::kUnusable);
  EXPECT_EQ(in_use_->facts().ends, ends);
  Write("key", longer.key);
  EXPECT_EQ(watch_->Look(), Found::kReplaced);
  EXPECT_GT(in_use_->facts().ends, ends);
  fs::remove(Path("key"));
  EXPECT_EQ(watch_->Look(), Found::kUnusable);
  Write("key", longer.key);
  EXPECT_EQ(watch_->Look(), Found::kSame);
}

TEST_F(TlsWatchTest, HttpListenersGetNewerKeysWithTheOthersOrNot) {
  Write("clients", authority_.certificate());
  const TlsFiles files = Files(/*with_clients=*/true);
  const TlsRead read = *ReadTlsFiles(files);
  TlsInUse in_use(files, read, keys_, clock_);
  const TlsInUse::Http http = *TlsInUse::ForHttp(read.keys);
  in_use.AlsoReplace(http);
  FileWatch watch(in_use.Watched(), DigestOf(TextsOf(read.keys)), clock_, clock_);
  const auto tls = http.tls->inside();
  const auto mutual = http.mutual->inside();
  Write("clients", "none");
  Write(second_);
  EXPECT_EQ(watch.Look(), Found::kUnusable);
  EXPECT_EQ(in_use.facts().names, "DNS:first.example");
  EXPECT_EQ(http.tls->inside(), tls);
  EXPECT_EQ(http.mutual->inside(), mutual);
  Write("clients", authority_.certificate());
  EXPECT_EQ(watch.Look(), Found::kReplaced);
  EXPECT_EQ(in_use.facts().names, "DNS:second.example");
  EXPECT_NE(http.tls->inside(), tls);
  EXPECT_NE(http.mutual->inside(), mutual);
}

// cert → ..data/cert, and ..data → a directory that is replaced as a whole.
TEST_F(TlsWatchTest, SeesALinkPutElsewhereAsKubernetesDoes) {
  for (const auto& [version, issued] : {std::pair{"1", &first_}, std::pair{"2", &second_}}) {
    fs::create_directory(Path(version));
    Write(std::string(version) + "/cert", issued->certificate);
    Write(std::string(version) + "/key", issued->key);
  }
  for (const char* name : {"cert", "key"}) {
    fs::remove(Path(name));
    fs::create_symlink(std::string("..data/") + name, Path(name));
  }
  fs::create_symlink("1", Path("..data"));
  Watch();
  fs::create_symlink("2", Path("..data_tmp"));
  fs::rename(Path("..data_tmp"), Path("..data"));
  EXPECT_EQ(watch_->Look(), Found::kReplaced);
  EXPECT_EQ(Read().facts.names, "DNS:second.example");
}

}  // namespace
}  // namespace gateway::app

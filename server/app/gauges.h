// AddGauges adds the metrics whose values are only looked at when somebody asks for them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>

#include "app/account_doors.h"
#include "app/archive.h"
#include "app/config.h"
#include "app/file_watch.h"
#include "app/notifications.h"
#include "app/tls_watch.h"
#include "app/tracing.h"
#include "base/clock.h"
#include "base/shedding.h"
#include "face/face.h"
#include "jobs/core.h"
#include "obs/metrics.h"
#include "rpc/server.h"
#include "tenants/callers.h"

namespace gateway::app {

// Where the values come from. What is referred to must outlive the last look.
struct GaugeSources {
  const Config& config;
  jobs::Core& core;
  const tenants::Callers& callers;
  const AccountDoors& doors;
  const rpc::Server& server;
  const face::Face* face;  // null: there is none
  const Shedding& shedding;
  std::filesystem::path store_directory;  // empty: nothing is on a disk
  std::function<double()> store_commits;
  std::function<Duration()> store_commit_time;
  std::function<bool()> store_away;
  std::function<std::size_t()> store_queue;
  int watches_max = 0;
  const FileWatches& file_watches;
  const TlsInUse* tls = nullptr;     // null: no listener has TLS
  const Tracing* tracing = nullptr;  // null: there is none
  Archive* archive = nullptr;        // null: there is none
  Notifications& notifications;
};

void AddGauges(const GaugeSources& from, obs::Metrics& metrics);

}  // namespace gateway::app

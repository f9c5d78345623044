#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/errors.h"
#include "jobs/notification.h"
#include "rpc/rpc_house.h"
#include "support/records.h"

namespace gateway::test {
namespace {

class NotificationCallsTest : public testing::Test {
 protected:
  void Put(const std::string& id, v1::NotificationState state, const std::string& tenant) {
    jobs::JobRecord record = RecordOf(jobs::SubmissionState::kAccepted, id);
    record.job.tenant = tenant;
    record.job.request_id.clear();
    record.job.pictory_job_id = tenant + id;
    record.job.state = v1::JOB_STATE_SUCCEEDED;
    v1::Notification notification;
    notification.set_url("https://hooks.example.com/a?secret=1");
    notification.set_job_state(v1::JOB_STATE_SUCCEEDED);
    notification.set_state(state);
    jobs::SetNotification(notification, record);
    store_.Adopt(record, [](const absl::Status& status) { ASSERT_TRUE(status.ok()); });
  }
  absl::StatusOr<v1::ListNotificationsResponse> List(const v1::ListNotificationsRequest& request) {
    grpc::ClientContext context;
    v1::ListNotificationsResponse response;
    const grpc::Status status = house_.stub->ListNotifications(&context, request, &response);
    if (!status.ok()) return FromGrpc(status);
    return response;
  }

  store::MemoryJobStore store_;
  RpcHouse house_{{}, &store_};
};

TEST_F(NotificationCallsTest, ListsThoseThatWereGivenUpPageByPage) {
  for (const char* id : {"j1", "j2", "j3"}) Put(id, v1::NOTIFICATION_STATE_GIVEN_UP, "default");
  Put("j4", v1::NOTIFICATION_STATE_PENDING, "default");
  Put("j5", v1::NOTIFICATION_STATE_DELIVERED, "default");
  Put("j6", v1::NOTIFICATION_STATE_GIVEN_UP, "other");
  v1::ListNotificationsRequest request;
  request.set_page_size(2);
  auto page = List(request);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->notifications_size(), 2);
  EXPECT_EQ(page->notifications(0).job_id(), "j3");
  EXPECT_EQ(page->notifications(0).notification_id(), "msg_j3_succeeded");
  EXPECT_EQ(page->notifications(0).url(), "https://hooks.example.com/a");
  request.set_page_token(page->next_page_token());
  page = List(request);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->notifications_size(), 1);
  EXPECT_EQ(page->notifications(0).job_id(), "j1");
  EXPECT_EQ(page->next_page_token(), "");

  request.set_state(v1::NOTIFICATION_STATE_PENDING);
  EXPECT_EQ(errors::Reason(List(request).status()), "INVALID_REQUEST") << "of another state";
  request.clear_page_token();
  page = List(request);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->notifications_size(), 1);
  EXPECT_EQ(page->notifications(0).job_id(), "j4");
}

TEST_F(NotificationCallsTest, WhatCannotBeListedIsRefused) {
  v1::ListNotificationsRequest request;
  request.set_state(v1::NOTIFICATION_STATE_DELIVERED);
  EXPECT_EQ(errors::Reason(List(request).status()), "INVALID_REQUEST");
  request.clear_state();
  request.set_page_size(-1);
  EXPECT_EQ(errors::Reason(List(request).status()), "INVALID_REQUEST");
  request.clear_page_size();
  request.set_page_token("none");
  EXPECT_EQ(errors::Reason(List(request).status()), "INVALID_REQUEST");
}

TEST_F(NotificationCallsTest, AReplayIsTheTenantsOwn) {
  house_.on_replay = [](const std::string& tenant, const std::string& job,
                        rpc::Backend::Done<v1::Notification> done) {
    v1::Notification notification;
    notification.set_job_id(tenant + "/" + job);
    done(notification);
  };
  grpc::ClientContext context;
  v1::ReplayNotificationRequest request;
  request.set_job_id("j1");
  v1::ReplayNotificationResponse response;
  ASSERT_TRUE(house_.stub->ReplayNotification(&context, request, &response).ok());
  EXPECT_EQ(response.notification().job_id(), "default/j1");

  grpc::ClientContext other;
  request.set_job_id(std::string(300, 'x'));
  EXPECT_EQ(house_.stub->ReplayNotification(&other, request, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace gateway::test

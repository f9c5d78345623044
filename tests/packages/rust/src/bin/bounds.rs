//! Prints what becomes of calls that must not be sent, jobs that failed, and servers that say nothing.
//!
//!     bounds GATEWAY HOLE URL STUCK FAILED FAKE SECURE AUTHORITY     (tests/packages/run says what they are)
use std::{cell::Cell, path::Path, time::Duration};

use pictory_jobs::v1::{watch_jobs_response::Event, *};
use pictory_jobs::{call, client, connect, download, endpoint, may_have_been_taken, must_succeed, read_part, set_limits};
use pictory_jobs::{watch, watch_jobs, Jobs, Limits};
use tokio_stream::StreamExt;
use tonic::service::interceptor::InterceptedService;
use tonic::{Code, Status};

const SILENCE: Duration = Duration::from_secs(3);
const PART: ResultPart = ResultPart::Txt;

async fn file(url: &str) -> String {
    let path = Path::new("got");
    std::fs::remove_file(path).ok();
    match download(url, path).await {
        Ok(()) => std::fs::read_to_string(path).unwrap_or_default(),
        Err(_) if path.exists() => "a piece".into(),
        Err(_) => "ended".into(),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, gateway, hole, url, stuck, failed, fake, secure, _] = &args[..] else {
        return Err("eight arguments, please".into());
    };
    set_limits(Limits { silence: SILENCE, patience: Duration::from_secs(8) });
    let jobs = connect(gateway)?;
    if call(&jobs, RenderRequest::default()).await.is_err_and(|error| error.message().contains("paid for twice")) {
        println!("refused");
    }
    let ended = GetJobRequest { job_id: failed.clone(), ..Default::default() };
    if let Err(error) = must_succeed(call(&jobs, ended).await?.job.unwrap_or_default()) {
        println!("{error}");
    }
    let request = WatchJobRequest { job_id: "j".into(), ..Default::default() };
    let mut states = std::pin::pin!(watch(connect(hole)?, request, |_| ()));
    while let Some(job) = states.next().await {
        println!("hole {}", if job.is_err() { "ended" } else { "spoke" });
    }
    let (lost, again) = (Cell::new(0), tokio::sync::Notify::new());
    let request = WatchJobRequest { job_id: stuck.clone(), ..Default::default() };
    let count = |_: &_| {
        lost.set(lost.get() + 1);
        if lost.get() == 2 {
            again.notify_one(); // the watch is dropped in the pause that begins
        }
    };
    let follow = async {
        let mut states = std::pin::pin!(watch(jobs.clone(), request, count));
        while states.next().await.is_some() {}
    };
    tokio::select! {
        _ = follow => println!("silent ended by itself"),
        _ = again.notified() => println!("silent lost {}", lost.get()),
    }
    println!("download {}", file(&format!("{url}/silent")).await);
    let halves = format!("{url}/halves");
    println!("halves {} {}", file(&halves).await, file(&halves).await);
    told(fake).await?;
    call_all(&connect(fake)?).await?;
    println!("secure {}", get(&connect(&format!("https://{secure}"))?, "").await?.job_id);
    downloads(url).await
}

/// Each method of the service.
async fn call_all(jobs: &Jobs) -> Result<(), Status> {
    let request_id = || "all".to_string();
    call(jobs, CreatePreviewRequest { request_id: request_id(), ..Default::default() }).await?;
    call(jobs, RenderRequest { request_id: request_id(), ..Default::default() }).await?;
    call(jobs, TranscribeRequest { request_id: request_id(), ..Default::default() }).await?;
    call(jobs, SummarizeRequest { request_id: request_id(), ..Default::default() }).await?;
    call(jobs, GenerateImageRequest { request_id: request_id(), ..Default::default() }).await?;
    call(jobs, GenerateVideoRequest { request_id: request_id(), ..Default::default() }).await?;
    call(jobs, GetJobRequest::default()).await?;
    call(jobs, BatchGetJobsRequest::default()).await?;
    call(jobs, ListJobsRequest::default()).await?;
    call(jobs, GetUsageRequest::default()).await?;
    call(jobs, GetServerInfoRequest::default()).await?;
    call(jobs, ListNotificationsRequest::default()).await?;
    call(jobs, ReplayNotificationRequest::default()).await?;
    call(jobs, ResolveJobRequest::default()).await?;
    call(jobs, DeleteJobRequest::default()).await?;
    call(jobs, CreateUploadRequest::default()).await?;
    call(jobs, UpdatePreviewRequest::default()).await?;
    call(jobs, ListProjectsRequest::default()).await?;
    call(jobs, GetProjectRequest::default()).await?;
    call(jobs, GetAccountRequest::default()).await?;
    call(jobs, ListTemplatesRequest::default()).await?;
    call(jobs, GetTemplateRequest::default()).await?;
    call(jobs, CreateTemplateRequest::default()).await?;
    call(jobs, UpdateTemplateRequest::default()).await?;
    call(jobs, DeleteTemplateRequest::default()).await?;
    jobs.clone().watch_job(WatchJobRequest::default()).await?;
    jobs.clone().watch_jobs(WatchJobsRequest::default()).await?;
    jobs.clone().read_job_result(ReadJobResultRequest::default()).await?;
    jobs.clone().read_archived_file(ReadArchivedFileRequest::default()).await?;
    Ok(())
}

/// The events of a watch of many jobs, until one is gone.
async fn many(jobs: &Jobs) -> Result<String, Status> {
    let labels = [("case".to_string(), "many".to_string())].into();
    let mut events = std::pin::pin!(watch_jobs(jobs.clone(), WatchJobsRequest { labels, ..Default::default() }, |_| ()));
    let mut seen = String::new();
    while let Some(message) = events.next().await {
        match message?.event {
            Some(Event::GoneJobId(_)) => return Ok(seen + " gone"),
            Some(Event::Job(job)) => seen += &format!(" {}", job.revision),
            _ => seen += " started",
        }
    }
    Ok(seen)
}

fn left() -> usize {
    let names = std::fs::read_dir(".").into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.filter(|name| name.to_string_lossy().starts_with("got")).count()
}

fn word(code: Code) -> String {
    match code {
        Code::Unavailable => "UNAVAILABLE".into(),
        Code::DataLoss => "DATA_LOSS".into(),
        other => format!("{other:?}"),
    }
}

/// The revisions, or how it ended.
async fn revisions(jobs: &Jobs, job_id: &str, after_revision: i32) -> Result<String, Status> {
    let request = WatchJobRequest { job_id: job_id.into(), after_revision, ..Default::default() };
    let mut states = std::pin::pin!(watch(jobs.clone(), request, |_| ()));
    let mut seen = String::new();
    while let Some(job) = states.next().await {
        seen += &format!(" {}", job?.revision);
    }
    Ok(seen)
}

async fn get<S: pictory_jobs::Service>(jobs: &Jobs<S>, job_id: &str) -> Result<Job, Status> {
    let request = GetJobRequest { job_id: job_id.into(), ..Default::default() };
    Ok(call(jobs, request).await?.job.unwrap_or_default())
}

async fn render(jobs: &Jobs, request_id: &str) -> Result<String, Status> {
    let request = RenderRequest { request_id: request_id.into(), ..Default::default() };
    Ok(call(jobs, request).await?.job.unwrap_or_default().job_id)
}

/// Prints what becomes of the answers of tests/packages/fake.py.
async fn told(address: &str) -> Result<(), Box<dyn std::error::Error>> {
    std::fs::remove_file("got").ok();
    let jobs = connect(address)?;
    println!("kept{}", revisions(&jobs, "kept", 0).await?);
    println!("next {}", render(&jobs, "next").await?);
    println!("short{}", revisions(&jobs, "short", 0).await?);
    println!("seen{}", revisions(&jobs, "seen", 7).await?);
    println!("many{}", many(&jobs).await?);
    let enough = tokio::sync::Notify::new();
    let lost = |error: &Status| {
        let said = error.message().contains("said nothing for 3s");
        println!("mute {} {}", word(error.code()), if said { "said" } else { error.message() });
        enough.notify_one();
    };
    let request = WatchJobRequest { job_id: "mute".into(), ..Default::default() };
    let follow = async {
        let mut states = std::pin::pin!(watch(jobs.clone(), request, lost));
        while states.next().await.is_some() {}
    };
    tokio::select! {
        _ = follow => println!("mute ended by itself"),
        _ = enough.notified() => println!("mute ended"),
    }
    let got = Path::new("got");
    for part in ["broken", "cut", "silent", "shifted", "changed", "dead"] {
        match read_part(jobs.clone(), part, PART, got).await {
            Ok(()) => println!("{part} {}", std::fs::read_to_string(got)?),
            Err(error) => println!("{part} {}", word(error.code())),
        }
        std::fs::remove_file(got).ok();
    }
    println!("dead {}", get(&jobs, "dead").await?.revision);
    for state in ["UNCONFIRMED", "CANCELLED"] {
        if let Err(failed) = must_succeed(get(&jobs, state).await?) {
            println!("{failed}");
        }
    }
    tokio::select! {
        _ = read_part(jobs.clone(), "hang", PART, got) => println!("hang ended by itself"),
        _ = get(&jobs, "hang") => {}
    }
    println!("hang cancelled, left {}", left());
    let sign = |mut request: tonic::Request<()>| {
        request.metadata_mut().insert("authorization", "me".parse().expect("ASCII"));
        Ok(request)
    };
    let signs = client(InterceptedService::new(endpoint(address)?.connect_lazy(), sign));
    println!("signed {}", get(&signs, "signed").await?.job_id);
    for submit in ["open", "refused"] {
        if let Err(error) = render(&jobs, submit).await {
            println!("{submit} {}", may_have_been_taken(&error));
        }
    }
    Ok(())
}

/// Brings two into one file, and gives one up.
async fn downloads(url: &str) -> Result<(), Box<dyn std::error::Error>> {
    let (got, went) = (Path::new("got"), Path::new("went"));
    let [first, second, go, stuck, begun] =
        ["first", "second", "go", "stuck", "begun"].map(|name| format!("{url}/{name}"));
    let others = async {
        download(&second, got).await?;
        download(&go, went).await
    };
    let (one, two) = tokio::join!(download(&first, got), others);
    one.and(two).map_err(|error| error.to_string())?;
    println!("two {} left {}", std::fs::read_to_string(got)?, left());
    std::fs::remove_file(got)?;
    tokio::select! {
        _ = download(&stuck, got) => println!("stuck ended by itself"),
        _ = download(&begun, went) => {}
    }
    println!("stuck cancelled, left {}", left());
    Ok(())
}

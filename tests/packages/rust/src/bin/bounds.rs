//! Prints what becomes of calls that must not be sent, jobs that failed, and servers that say nothing.
//!
//!     bounds GATEWAY HOLE URL STUCK FAILED     (tests/packages/run says what they are)
use std::{cell::Cell, path::Path, time::Duration};

use pictory_jobs::v1::{GetJobRequest, RenderRequest, WatchJobRequest};
use pictory_jobs::{call, connect, download, must_succeed, set_limits, watch, Limits};
use tokio_stream::StreamExt;

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
    let [_, gateway, hole, url, stuck, failed, _fake] = &args[..] else { return Err("six arguments, please".into()) };
    set_limits(Limits { silence: Duration::from_millis(500), patience: Duration::from_secs(5) });
    let jobs = connect(gateway)?;
    if call(&jobs, RenderRequest::default()).await.is_err_and(|error| error.message().contains("paid for twice")) {
        println!("refused");
    }
    let get = GetJobRequest { job_id: failed.clone(), ..Default::default() };
    if let Err(error) = must_succeed(call(&jobs, get).await?.job.unwrap_or_default()) {
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
    Ok(())
}

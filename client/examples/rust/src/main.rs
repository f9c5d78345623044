//! From text to a video, from speech to its summary, and what goes wrong on the way.
//!
//!     story ORDER OUT MEDIA     the same order again pays for nothing twice
//!     story --watch JOB         go on where another run stopped

use std::{env, path::Path};

use pictory_jobs::v1::{create_preview_request, render_request, summarize_request, *};
use pictory_jobs::{call, connect, download, field_violations, must_succeed, read_part, reason, watch, Jobs};
use tokio_stream::StreamExt;

/// The job in its final state. A failed job is data: it says why.
async fn follow(jobs: &Jobs, submitted: Option<Job>) -> Result<Job, tonic::Status> {
    let job_id = submitted.unwrap_or_default().job_id;
    let lost = |error: &tonic::Status| println!("{job_id} connection lost ({error}); trying again");
    let request = WatchJobRequest { job_id: job_id.clone(), ..Default::default() };
    let mut states = std::pin::pin!(watch(jobs.clone(), request, lost));
    let mut last = Job::default();
    while let Some(job) = states.next().await {
        last = job?;
        println!("{job_id} {} {}", last.revision, last.state().as_str_name());
    }
    Ok(last)
}

fn preview(request_id: String, name: &str) -> CreatePreviewRequest {
    let story = Some("A gateway takes a story. It hands it to Pictory once.".into());
    let scene = Scene { story, create_scene_on_end_of_sentence: Some(true), ..Default::default() };
    let board = Storyboard { video_name: Some(name.into()), scenes: vec![scene], ..Default::default() };
    let source = Some(create_preview_request::Source::Storyboard(board));
    CreatePreviewRequest { request_id, source, ..Default::default() }
}

async fn story(jobs: &Jobs, order: &str, out: &Path, media: &str) -> Result<(), Box<dyn std::error::Error>> {
    let id = |step: &str| format!("{order}-{step}");
    let made = must_succeed(follow(jobs, call(jobs, preview(id("preview"), order)).await?.job).await?)?;
    let source = Some(render_request::Source::PreviewJobId(made.job_id));
    let render = RenderRequest { request_id: id("render"), source, ..Default::default() };
    let video = must_succeed(follow(jobs, call(jobs, render.clone()).await?.job).await?)?;
    if let Some(job::Result::Render(result)) = &video.result {
        download(&result.video_url, &out.join("video.mp4")).await?;
    }

    let file_url = media.to_string();
    let transcribe = TranscribeRequest { request_id: id("transcribe"), file_url, ..Default::default() };
    let speech = must_succeed(follow(jobs, call(jobs, transcribe).await?.job).await?)?;
    read_part(jobs.clone(), &speech.job_id, ResultPart::TranscriptJson, &out.join("talk.json")).await?;
    let mut summarize = SummarizeRequest { request_id: id("summarize"), ..Default::default() };
    summarize.highlight_duration_seconds = 20;
    summarize.source = Some(summarize_request::Source::TranscriptionJobId(speech.job_id));
    let summary = must_succeed(follow(jobs, call(jobs, summarize).await?.job).await?)?;
    if let Some(job::Result::Summary(summary)) = summary.result {
        println!("summary: {}", summary.summary_text);
    }

    let again = call(jobs, render).await?.job.unwrap_or_default(); // the same request_id: the same job, paid once
    println!("the same render: {}", again.job_id == video.job_id);
    let failing = call(jobs, preview(id("fail"), "sandbox-fail")).await?.job;
    let why = follow(jobs, failing).await?.error.unwrap_or_default();
    println!("failed: {} {}", why.code, why.message);
    for request in [preview(id("render"), "other"), preview(id("wrong"), "a/b")] {
        if let Err(error) = call(jobs, request).await {
            println!("refused: {}", reason(&error));
            for wrong in field_violations(&error) {
                println!("wrong: {} {}", wrong.field, wrong.description);
            }
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let jobs = connect(&env::var("PICTORY_GATEWAY")?)?;
    let args: Vec<String> = env::args().collect();
    if args[1] != "--watch" {
        return story(&jobs, &args[1], Path::new(&args[2]), &args[3]).await;
    }
    let watched = Some(Job { job_id: args[2].clone(), ..Default::default() });
    follow(&jobs, watched).await.map_err(|error| format!("{}: {error}", reason(&error)))?;
    Ok(())
}

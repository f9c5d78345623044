//! From text to a video, from speech to its summary, and what goes wrong on the way.
//!
//!     story ORDER OUT MEDIA     the same order again pays for nothing twice
//!     story --watch JOB         go on where another run stopped

use std::{env, path::Path};

use pictory_jobs::v1::{create_preview_request, render_request, summarize_request, *};
use pictory_jobs::{connect, download, field_violations, read_part, reason, repeat, watch, Jobs};
use tokio_stream::StreamExt;

/// The job in its final state. A failed job is data: it says why.
async fn follow(jobs: &Jobs, job_id: String) -> Result<Job, tonic::Status> {
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
    CreatePreviewRequest { request_id, source: Some(create_preview_request::Source::Storyboard(board)), ..Default::default() }
}

/// Submits and follows. A submit has a request_id, so it can be repeated.
macro_rules! submit {
    ($jobs:expr, $method:ident, $request:expr) => {{
        let answer = repeat(|| { let mut jobs = $jobs.clone(); let request = $request.clone(); async move { jobs.$method(request).await } }).await?;
        follow($jobs, answer.into_inner().job.unwrap_or_default().job_id).await?
    }};
}

async fn story(jobs: &Jobs, order: &str, out: &Path, media: &str) -> Result<(), Box<dyn std::error::Error>> {
    let made = submit!(jobs, create_preview, preview(format!("{order}-preview"), "demo"));
    let source = Some(render_request::Source::PreviewJobId(made.job_id));
    let render = RenderRequest { request_id: format!("{order}-render"), source, ..Default::default() };
    let video = submit!(jobs, render, render);
    if let Some(job::Result::Render(result)) = &video.result { download(&result.video_url, &out.join("video.mp4")).await?; }

    let transcribe = TranscribeRequest { request_id: format!("{order}-transcribe"), file_url: media.into(), ..Default::default() };
    let speech = submit!(jobs, transcribe, transcribe);
    read_part(jobs.clone(), &speech.job_id, ResultPart::TranscriptJson, &out.join("talk.json")).await?;
    let source = Some(summarize_request::Source::TranscriptionJobId(speech.job_id));
    let summarize = SummarizeRequest { request_id: format!("{order}-summarize"), highlight_duration_seconds: 20, source, ..Default::default() };
    if let Some(job::Result::Summary(summary)) = submit!(jobs, summarize, summarize).result { println!("summary: {}", summary.summary_text); }

    // The same request_id: the same job, paid once.
    println!("the same render: {}", submit!(jobs, render, render).job_id == video.job_id);
    let failed = submit!(jobs, create_preview, preview(format!("{order}-fail"), "sandbox-fail")).error.unwrap_or_default();
    println!("failed: {} {}", failed.code, failed.message);
    for request in [preview(format!("{order}-render"), "other"), preview(format!("{order}-wrong"), "a/b")] {
        if let Err(error) = jobs.clone().create_preview(request).await {
            println!("refused: {}", reason(&error));
            for wrong in field_violations(&error) { println!("wrong: {} {}", wrong.field, wrong.description); }
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let jobs = connect(&env::var("PICTORY_GATEWAY")?)?;
    let args: Vec<String> = env::args().collect();
    match args[1].as_str() {
        "--watch" => follow(&jobs, args[2].clone()).await.map(drop).map_err(|error| format!("{}: {error}", reason(&error)).into()),
        order => story(&jobs, order, Path::new(&args[2]), &args[3]).await,
    }
}

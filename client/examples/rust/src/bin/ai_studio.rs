//! A picture of a prompt, and a clip that begins with it, by Pictory's AI studio.
//!
//!     ai_studio ORDER OUT PROMPT     the same order again pays for nothing twice

use std::{env, error::Error, path::Path};

use pictory_jobs::v1::*;
use pictory_jobs::{call, connect, download, must_succeed, reason, watch, Jobs};
use tokio_stream::StreamExt;

fn told(error: tonic::Status) -> String {
    format!("{}: {error}", reason(&error))
}

/// The job, once it has its result.
async fn finish(jobs: &Jobs, submitted: Option<Job>) -> Result<Job, Box<dyn Error>> {
    let request = WatchJobRequest { job_id: submitted.unwrap_or_default().job_id, ..Default::default() };
    let mut states = std::pin::pin!(watch(jobs.clone(), request, |_: &tonic::Status| ()));
    let mut last = Job::default();
    while let Some(job) = states.next().await {
        last = job.map_err(told)?;
    }
    Ok(must_succeed(last)?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let jobs = connect(&env::var("PICTORY_GATEWAY")?)?;
    let args: Vec<String> = env::args().collect();
    let (order, out, prompt) = (&args[1], Path::new(&args[2]), &args[3]);
    let wide = Some("16:9".to_string());

    let mut image = GenerateImageRequest { request_id: format!("{order}-image"), ..Default::default() };
    (image.prompt, image.aspect_ratio) = (prompt.clone(), wide.clone());
    let picture = finish(&jobs, call(&jobs, image).await.map_err(told)?.job).await?;
    println!("picture: {}", picture.job_id);
    let Some(job::Result::Image(made)) = picture.result else { return Err("there is no picture".into()) };
    download(&made.url, &out.join("picture.jpg")).await?;

    let mut video = GenerateVideoRequest { request_id: format!("{order}-video"), ..Default::default() };
    (video.prompt, video.aspect_ratio, video.duration) = (prompt.clone(), wide, Some("8s".into()));
    video.first_frame_image_url = Some(made.url);
    let clip = finish(&jobs, call(&jobs, video).await.map_err(told)?.job).await?;
    println!("clip: {}", clip.job_id);
    let Some(job::Result::Video(made)) = clip.result else { return Err("there is no clip".into()) };
    download(&made.url, &out.join("clip.mp4")).await?;
    println!("AI credits: {}", picture.credits_used.unwrap_or_default() + clip.credits_used.unwrap_or_default());
    Ok(())
}

// Generates the code of the protos; protox stands for protoc.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let protos = ["pictory/jobs/v1/pictory_jobs.proto"];
    println!("cargo:rerun-if-changed=protos");
    let files = protox::compile(protos, ["protos"])?;
    tonic_prost_build::configure().build_server(false).compile_fds(files)?;
    Ok(())
}

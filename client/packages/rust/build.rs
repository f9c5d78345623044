// Generates the code of the protos; protox stands for protoc. And the list of submits for src/calls.rs: every request
// that has a request_id, so that a new kind of job needs no line there.
use std::fmt::Write;

const METHODS: &str = "PictoryJobs";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let protos = ["pictory/jobs/v1/pictory_jobs.proto"];
    println!("cargo:rerun-if-changed=protos");
    let files = protox::compile(protos, ["protos"])?;

    let mut submits = String::new();
    for file in &files.file {
        let is_submit = |request: &str| {
            let message = file.message_type.iter().find(|one| request.ends_with(&format!(".{}", one.name())));
            message.is_some_and(|one| one.field.iter().any(|field| field.name() == "request_id"))
        };
        let service = file.service.iter().find(|one| one.name() == METHODS);
        for method in service.map_or(&[][..], |one| &one.method) {
            if !is_submit(method.input_type()) {
                continue;
            }
            let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_string();
            let (request, answer) = (last(method.input_type()), last(method.output_type()));
            writeln!(submits, "unary! {{ Submit {}({request}) -> {answer} by request_id; }}", snake(method.name()))?;
        }
    }
    std::fs::write(std::path::Path::new(&std::env::var("OUT_DIR")?).join("submits.rs"), submits)?;

    tonic_prost_build::configure().build_server(false).compile_fds(files)?;
    Ok(())
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for (at, letter) in name.char_indices() {
        if letter.is_uppercase() && at > 0 {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

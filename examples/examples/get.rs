//! Gets any URL, and can say why the answer is what it is.
//!
//! ```sh
//! cargo run --example get -- http://127.0.0.1:8080/ --explain
//! cargo run --example get -- http://127.0.0.1:8080/big --output big.bin
//! ```

use std::{
    error::Error,
    fs::File,
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};

use clap::Parser;
use httplib2::{Body, Http, RequestBuilder, Response, ResponseBody};
use indicatif::{ProgressBar, ProgressStyle};

/// Gets a URL.
#[derive(Parser)]
struct Arguments {
    /// An absolute http or https URL.
    url: String,
    /// The method.
    #[arg(short = 'X', long, default_value = "GET")]
    method: String,
    /// A header field, as `Name: value`. May be given several times.
    #[arg(short = 'H', long = "header", value_parser = field)]
    headers: Vec<(String, String)>,
    /// The body: text, or `@FILE`.
    #[arg(short, long)]
    data: Option<String>,
    /// Writes the content to a file and shows the progress.
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Says what every layer decided.
    #[arg(long)]
    explain: bool,
    /// Trusts the certificate authorities of this PEM file too.
    #[arg(long)]
    ca_file: Option<PathBuf>,
    /// How many redirects are followed.
    #[arg(long, default_value_t = 5)]
    redirections: usize,
    /// How many seconds the whole call may take.
    #[arg(long)]
    deadline: Option<f64>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let mut settings = Http::builder();
    if let Some(path) = &arguments.ca_file {
        settings = settings.add_ca_certs(std::fs::read(path)?);
    }
    let (response, body) = request(&settings.build()?, &arguments)?.stream().await?;
    show_head(&response);
    match &arguments.output {
        Some(path) => save(body, File::create(path)?).await?,
        None => copy(body, &mut io::stdout().lock(), |_| ()).await?,
    }
    if arguments.explain {
        eprintln!("\n{}", response.explain());
    }
    Ok(())
}

fn request(http: &Http, arguments: &Arguments) -> Result<RequestBuilder, Box<dyn Error>> {
    let mut request = http
        .request(&arguments.url)
        .method(&*arguments.method)
        .redirections(arguments.redirections)
        .explain(arguments.explain);
    for (name, value) in &arguments.headers {
        request = request.header(&**name, &**value);
    }
    if let Some(data) = &arguments.data {
        request = match data.strip_prefix('@') {
            Some(path) => request.body(Body::file(path)?),
            None => request.body(data.clone()),
        };
    }
    if let Some(seconds) = arguments.deadline {
        request = request.deadline(Duration::try_from_secs_f64(seconds)?);
    }
    Ok(request)
}

/// To standard error, so that standard output holds the content and nothing else.
fn show_head(response: &Response) {
    let history: Vec<_> = response.history().collect();
    for earlier in history.into_iter().rev() {
        eprintln!("{} {} from {}", earlier.status().as_u16(), earlier.reason(), earlier.uri());
    }
    eprintln!("{} {} from {}", response.status().as_u16(), response.reason(), response.uri());
    for (name, value) in response.headers() {
        eprintln!("{name}: {}", String::from_utf8_lossy(value.as_bytes()));
    }
    eprintln!();
}

async fn save(body: ResponseBody, mut file: File) -> Result<(), Box<dyn Error>> {
    let bar = match http_body::Body::size_hint(&body).exact() {
        Some(length) => ProgressBar::new(length)
            .with_style(ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}")?),
        None => ProgressBar::new_spinner(),
    };
    copy(body, &mut file, |length| bar.inc(length)).await?;
    bar.finish();
    Ok(())
}

async fn copy(
    mut body: ResponseBody,
    out: &mut impl Write,
    mut progress: impl FnMut(u64),
) -> Result<(), Box<dyn Error>> {
    while let Some(piece) = body.chunk().await? {
        out.write_all(&piece)?;
        progress(piece.len() as u64);
    }
    Ok(out.flush()?)
}

fn field(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("a header field is written as `Name: value`")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

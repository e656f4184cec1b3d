//! Clusters of real processes on this machine: the bytes of a build do not tell where its passes ran, whatever happens to
//! an executor; and what cannot work is said.

mod copies;

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use annotc::engine::cluster::{Address, ExecutorOptions, release, serve_executor};
use ballista_core::config::TaskSchedulingPolicy;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use serde_json::Value;

use crate::support::{Project, Run, repository};

/// Three formats, several files, duplicates of both kinds across files, personal data, bad rows, a label found in the data.
const SPEC: &str = r#"annot 1
source notes {
  path "notes/*.jsonl"
  license "CC0-1.0"
  fields { text: string @personal; topic: string }
}
source rows { path "rows.parquet"; license "CC0-1.0"; fields { text: string @personal; topic: string } }
source sheet { path "sheet.csv"; license "CC0-1.0"; fields { text: string @personal; topic: string } }
label kind: choice from notes.topic
clean tidy {
  set  text = text |> fix_encoding |> nfc |> collapse_whitespace
  drop "short" when words(text) < 4
  drop "foreign" when (language(text) ?? "en") != "en"
  dedup text exactly
  dedup text near 0.8
}
policy house { redact @personal: email, phone }
template ask: chat { user "{{ text }}"; assistant "{{ kind }}" }
dataset all {
  from notes, sheet, rows
  clean tidy
  label kind = topic
  policy house
  split train 80%, test 20% by text near 0.8 stratify kind seed 3
  write messages from ask
  write jsonl
  write parquet
}
"#;

/// Files of notes: more chunks than a job has.
const FILES: usize = 140;

/// A project whose notes are `lines` lines in each file. Every third note comes again in the next file, every fifth with
/// a word more.
fn project(lines: usize) -> Project {
    let project = Project::new(&[("all.annot", SPEC.as_bytes())]);
    let note = |at: usize| {
        let (shop, day) = (at * 7919 % 1009, at * 104_729 % 367);
        format!(
            "The wheel number {at} of the customer in shop {shop} was mended on day {day} after it had been bent by a \
             fall near the bridge, so please write to person{shop}@example.org or call before number {at} is fetched"
        )
    };
    for file in 0..FILES {
        let mut text = String::new();
        for line in 0..lines {
            let at = file * lines + line;
            let (note, topic) = match at % 15 {
                0 | 3 | 6 if file > 0 => (note(at - lines), "again"),
                5 if file > 0 => (format!("{} soon", note(at - lines)), "almost"),
                7 => ("kurz".to_owned(), "short"),
                _ => (note(at), "fresh"),
            };
            text += &format!("{{\"text\": \"{note}\", \"topic\": \"{topic}\"}}\n");
        }
        text += "{\"text\": 5}\n";
        project.write(&format!("notes/{file:03}.jsonl"), text.as_bytes());
    }
    let sheet: String = (0..40).map(|at| format!("\"{}, twice\",fresh\n", note(at * 3))).collect();
    project.write("sheet.csv", format!("text,topic\n{sheet}one,two,three\n").as_bytes());
    write_table(&project);
    project
}

/// Rows of a table: notes that a build has written as Parquet.
fn write_table(project: &Project) {
    let seed = r#"annot 1
source notes { path "../notes/00*.jsonl"; license "CC0-1.0"; fields { text: string; topic: string } }
clean longer { set text = text + " once more" }
dataset seed { from notes; clean longer; split train 100%; write parquet }
"#;
    project.write("seed/seed.annot", seed.as_bytes());
    project.annotc(&["build", "seed/seed.annot"]).expect(0);
    let made = project.path("seed/build/seed/parquet/train.parquet");
    std::fs::rename(made, project.path("rows.parquet")).expect("a file is moved");
}

/// A process that is killed when nobody needs it any more.
struct Process {
    child: Child,
    listen: SocketAddr,
}

impl Process {
    fn start(project: &Project, args: &[&str]) -> Self {
        let mut command = project.command(&[&["cluster"], args, &["--format", "json"]].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("annotc starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("the output is piped");
        BufReader::new(stdout).read_line(&mut line).expect("the process says where it listens");
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no place: `{line}`"));
        let listen = said["listen"].as_str().and_then(|text| text.parse().ok()).expect("an address");
        Self { child, listen }
    }

    fn signal(&self, name: &str) {
        signal(&self.child, name);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(status.expect("kill starts").success(), "a signal reaches the process");
}

/// A scheduler, and executors that keep their results below `work/0`, `work/1` … of the project.
fn cluster(project: &Project, executors: usize) -> (Process, Vec<Process>) {
    let scheduler = Process::start(project, &["scheduler", "--listen", "127.0.0.1:0"]);
    let executors = (0..executors).map(|at| executor(project, &scheduler, at)).collect();
    (scheduler, executors)
}

fn executor(project: &Project, scheduler: &Process, at: usize) -> Process {
    let (address, work) = (scheduler.listen.to_string(), format!("work/{at}"));
    std::fs::create_dir_all(project.path(&work)).expect("a folder is made");
    Process::start(project, &["executor", "--scheduler", &address, "--cores", "2", "--work-dir", &work])
}

/// A build on a cluster, which knows nothing of what builds here have measured.
fn on_cluster(project: &Project, scheduler: SocketAddr) -> Command {
    let address = format!("df://{scheduler}");
    let mut command = project.command(&["build", "all.annot", "--out", "there", "--cluster", &address]);
    command.env("ANNOTC_CACHE", project.path("cache"));
    command
}

fn run(command: &mut Command) -> Run {
    Run::of(command.output().expect("annotc starts"))
}

/// Everything that a build left, here and on the cluster, is the same, but for the lock that stands beside the spec.
fn assert_same(project: &Project) {
    let (here, there) = (project.tree("build"), project.tree("there"));
    let names = |tree: &[(String, Vec<u8>)]| tree.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&here), names(&there));
    assert!(here.len() > 10, "a build leaves more than {:?}", names(&here));
    for ((name, here), (_, there)) in here.iter().zip(&there) {
        assert!(here == there, "`{name}` differs: {} bytes here, {} there", here.len(), there.len());
    }
}

/// Waits until the executor has results of a job that is under way.
fn wait_for_results(project: &Project, work: &str) {
    let begin = Instant::now();
    while project.tree(work).is_empty() {
        assert!(begin.elapsed() < Duration::from_secs(60), "an executor gets something to do");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_build_on_a_cluster_leaves_the_same_bytes() {
    let project = project(12);
    project.annotc(&["build", "all.annot"]).expect(0);
    let lock = project.read("all.annot.lock");
    let (scheduler, executors) = cluster(&project, 2);
    run(&mut on_cluster(&project, scheduler.listen)).expect(0);
    assert_same(&project);
    assert_eq!(project.read("all.annot.lock"), lock);
    // Every kind of verdict was there to be compared.
    let manifest = project.json("there/all/manifest.json").to_string();
    for rule in ["dedup text exactly", "dedup text near", "short", "redact"] {
        assert!(manifest.contains(rule), "{rule} is in {manifest}");
    }

    // What was measured there is kept like what is measured here, and a build that needs no chunk asks for none.
    std::fs::remove_dir_all(project.path("there")).expect("a folder is removed");
    let warm = run(&mut on_cluster(&project, scheduler.listen)).expect(0);
    let all = format!("first pass: {chunks} of {chunks} chunks from the cache", chunks = FILES + 2);
    assert!(warm.stderr.contains(&all), "{}", warm.stderr);
    assert_same(&project);

    // Results are texts of records: nothing of them stays, and an executor that is stopped leaves no folder.
    let begin = Instant::now();
    while !project.tree("work").is_empty() {
        assert!(begin.elapsed() < Duration::from_secs(20), "results that were fetched are deleted");
        std::thread::sleep(Duration::from_millis(50));
    }
    for mut executor in executors {
        executor.signal("TERM");
        assert!(executor.child.wait().expect("an executor ends").success());
    }
    let left = std::fs::read_dir(project.path("work/0")).expect("the folder").count();
    assert_eq!(left, 0, "folders that a stopped executor left");
}

#[test]
fn a_killed_executor_changes_nothing() {
    let project = project(80);
    project.annotc(&["build", "all.annot"]).expect(0);
    let (scheduler, executors) = cluster(&project, 2);
    let mut command = on_cluster(&project, scheduler.listen);
    let build = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("annotc starts");
    wait_for_results(&project, "work/0");
    executors[0].signal("KILL");
    let output = build.wait_with_output().expect("the build ends");
    Run::of(output).expect(0);
    assert_same(&project);
}

#[test]
fn an_interrupted_build_gives_up_its_job() {
    let project = project(80);
    let (scheduler, _executors) = cluster(&project, 1);
    let mut command = on_cluster(&project, scheduler.listen);
    let build = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("annotc starts");
    wait_for_results(&project, "work/0");
    signal(&build, "INT");
    let begin = Instant::now();
    Run::of(build.wait_with_output().expect("the build ends")).expect(130);
    assert!(begin.elapsed() < Duration::from_secs(10), "at once");
    assert!(project.tree("there/all").is_empty(), "nothing is published");
    // Chunks under way come to their end; then the executor has nothing of the job any more, and works for others.
    std::thread::sleep(Duration::from_secs(2));
    let left = project.tree("work/0").len();
    assert!(left <= 4, "{left} results of a job that was given up");
    project.annotc(&["build", "all.annot"]).expect(0);
    run(&mut on_cluster(&project, scheduler.listen)).expect(0);
    assert_same(&project);
}

#[test]
fn what_is_wrong_with_the_data_is_told_as_here() {
    let strict = SPEC.replace("license \"CC0-1.0\"\n", "license \"CC0-1.0\"\n  on_bad_row fail\n");
    let project = Project::new(&[
        ("all.annot", strict.as_bytes()),
        ("notes/001.jsonl", b"{\"text\": \"a\", \"topic\": \"b\"}\n{\"text\": 1}\n"),
        ("sheet.csv", b"text,topic\na,b\n"),
    ]);
    write_table(&project);
    let (scheduler, _executors) = cluster(&project, 1);
    let bad = run(&mut on_cluster(&project, scheduler.listen)).expect(4);
    let error = bad.stderr.lines().find(|line| line.starts_with("error: ")).expect("an error");
    let file = project.path("notes/001.jsonl");
    let row = format!("error: {}:2: field `text` is a number, expected a string", file.display());
    assert!(error.starts_with(&format!("{row} (on the executor 127.0.0.1:")), "{error}");

    // Of a file that the build has unpacked the name is told, and not that of the copy.
    project.write("notes/002.jsonl.gz", &packed(b"{\"text\": \"a\", \"topic\": \"b\"}\n{\"text\": 1}\n"));
    project.write("all.annot", strict.replace("notes/*.jsonl", "notes/*.jsonl.gz").as_bytes());
    let bad = run(&mut on_cluster(&project, scheduler.listen)).expect(4);
    let row = format!("error: {}:2: field `text` is a number", project.path("notes/002.jsonl.gz").display());
    assert!(bad.stderr.contains(&row), "{}", bad.stderr);
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).expect("a vector takes bytes");
    packed.finish().expect("it ends")
}

/// An executor inside this process, which says that it is of another release.
fn foreign_executor(project: &Project, scheduler: SocketAddr, stop: &Arc<AtomicBool>) -> JoinHandle<()> {
    let options = ExecutorOptions {
        scheduler: Address::parse(&scheduler.to_string()).expect("an address"),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        host: "127.0.0.1".to_owned(),
        cores: NonZeroUsize::MIN,
        work_dir: project.path("foreign"),
        insecure: false,
        release: "0.0.1 (functions 00000000)".to_owned(),
    };
    let stop = Arc::clone(stop);
    std::thread::spawn(move || serve_executor(&options, &stop, &mut |_| {}).expect("it serves"))
}

#[test]
fn an_executor_of_another_release_is_found_out() {
    let project = project(1);
    let scheduler = Process::start(&project, &["scheduler", "--listen", "127.0.0.1:0"]);
    let stop = Arc::new(AtomicBool::new(false));
    let foreign = foreign_executor(&project, scheduler.listen, &stop);
    let run = run(&mut on_cluster(&project, scheduler.listen)).expect(4);
    stop.store(true, Ordering::Relaxed);
    foreign.join().expect("the executor ends");
    assert!(run.stderr.contains("is annotc 0.0.1 (functions 00000000), the build annotc"), "{}", run.stderr);
    assert!(run.stderr.contains(release()), "{}", run.stderr);
    assert!(run.stderr.contains("the executor 127.0.0.1:"), "{}", run.stderr);
}

#[test]
fn an_executor_that_is_not_of_annotc_is_found_out() {
    let project = project(1);
    let scheduler = Process::start(&project, &["scheduler", "--listen", "127.0.0.1:0"]);
    let port = || {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("it has an address").port()
    };
    let config = ExecutorProcessConfig {
        port: port(),
        grpc_port: port(),
        scheduler_host: "127.0.0.1".to_owned(),
        scheduler_port: scheduler.listen.port(),
        work_dir: Some(project.path("stock").to_string_lossy().into_owned()),
        vcores: 1,
        task_scheduling_policy: TaskSchedulingPolicy::PullStaged,
        ..ExecutorProcessConfig::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.spawn(start_executor_process(Arc::new(config)));
    let run = run(&mut on_cluster(&project, scheduler.listen)).expect(4);
    runtime.shutdown_background();
    assert!(run.stderr.contains(&format!("does not know the plans of annotc {}", release())), "{}", run.stderr);
    assert!(run.stderr.contains("an executor of the cluster"), "{}", run.stderr);
}

#[test]
fn nobody_there_is_said() {
    let project = project(1);
    let begin = Instant::now();
    let run_nobody = run(&mut on_cluster(&project, SocketAddr::from((Ipv4Addr::LOCALHOST, 1)))).expect(4);
    assert!(run_nobody.stderr.contains("no scheduler answers at 127.0.0.1:1"), "{}", run_nobody.stderr);
    let lonely = project.annotc(&["cluster", "executor", "--scheduler", "127.0.0.1:1"]).expect(4);
    assert!(lonely.stderr.contains("no scheduler answers at 127.0.0.1:1"), "{}", lonely.stderr);

    let scheduler = Process::start(&project, &["scheduler", "--listen", "127.0.0.1:0"]);
    let idle = run(&mut on_cluster(&project, scheduler.listen)).expect(4);
    assert!(idle.stderr.contains("has no executor, after a wait of 10 s"), "{}", idle.stderr);
    assert!(begin.elapsed() < Duration::from_secs(30), "none of it hangs");
    assert!(!project.path("there/all").exists(), "nothing is written");
    project.annotc(&["build", "all.annot", "--cluster", "somewhere"]).expect(2);
}

#[test]
fn other_machines_are_let_in_with_certificates_alone() {
    let project = project(1);
    let open = project.annotc(&["cluster", "scheduler", "--listen", "0.0.0.0:0"]).expect(2);
    assert!(open.stderr.contains("other machines can reach 0.0.0.0:0") && open.stderr.contains("--insecure"));

    let file = |name: &str| repository().join("tests/fixtures/cluster").join(name).to_string_lossy().into_owned();
    let (cert, key, ca) = (file("node.pem"), file("node.key"), file("ca.pem"));
    let proof = ["--tls-cert", &cert, "--tls-key", &key, "--tls-ca", &ca];
    let with = |args: &[&str]| Process::start(&project, &[args, &proof].concat());
    let scheduler = with(&["scheduler", "--listen", "0.0.0.0:0"]);
    let address = format!("localhost:{}", scheduler.listen.port());
    let _executor = with(&["executor", "--scheduler", &address, "--listen", "0.0.0.0:0", "--host", "localhost"]);

    project.annotc(&["build", "all.annot"]).expect(0);
    let build = ["build", "all.annot", "--out", "there", "--cluster", &address];
    let plain = project.annotc(&build).expect(4);
    assert!(plain.stderr.contains(&format!("no scheduler answers at {address}")) || plain.stderr.contains("was lost"));
    project.annotc(&[&build[..], &proof].concat()).expect(0);
    assert_same(&project);
}

//! Builds that are killed at fifty moments: the last output or the new one is there whole, and the next build goes on from what was
//! finished and leaves nothing of the killed one.

#![cfg(unix)]

mod corpus;
mod watch;

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::support::Project;
use corpus::{DATASETS, Expected, MEMORY, expected, found};
use watch::{Event, Watch};

/// What a kill aims at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Aim {
    /// A share of the time that a build takes.
    Time,
    /// A file of what outgrew the memory that comes or goes.
    Spills,
    /// The last file of a staging folder, the exchange, what is removed behind it, and the lockfile's turn.
    Renames,
    /// A file of a staging folder that comes.
    Files,
    /// A file of the measures that comes.
    Measures,
}

/// How many kills aim at each.
const AIMS: [(Aim, usize); 5] =
    [(Aim::Time, 10), (Aim::Spills, 14), (Aim::Renames, 14), (Aim::Files, 7), (Aim::Measures, 5)];

/// Numbers from a fixed seed: a linear congruential generator with Knuth's constants.
struct Seeded(u64);

impl Seeded {
    /// A number from 0 to 1.
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A whole build as it was seen from outside.
struct Course {
    duration: Duration,
    events: Vec<Event>,
}

impl Course {
    /// The places among the events of those that belong to an aim.
    fn of(&self, aim: Aim) -> Vec<usize> {
        let belongs = |event: &Event| {
            let path = event.path();
            match aim {
                Aim::Time => false,
                Aim::Spills => path.starts_with("spilled/"),
                Aim::Renames => match event {
                    Event::Came(_) => path.ends_with("-all/manifest.json") || path.contains("unfinished"),
                    Event::Replaced(_) => path.matches('/').count() < 2,
                    Event::Went(_) => path.contains("staging"),
                },
                Aim::Files => path.starts_with("build/") && *event == Event::Came(path.to_owned()),
                Aim::Measures => path.starts_with("stages/") && *event == Event::Came(path.to_owned()),
            }
        };
        (0..self.events.len()).filter(|&at| belongs(&self.events[at])).collect()
    }
}

/// A build with little memory. One thread leaves the other to whoever watches.
fn spawn(project: &Project) -> Child {
    let mut command = project.command(&["build", "all.annot", "--memory", MEMORY, "--jobs", "1"]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("annotc starts")
}

/// Forgets what earlier builds measured, so that all of it is made again.
fn forget(project: &Project) {
    let stages = project.cache().join("stages");
    if stages.exists() {
        std::fs::remove_dir_all(stages).expect("the cache's files can be removed");
    }
}

/// A whole build, watched.
fn course(project: &Project) -> Course {
    let (watch, begin) = (Watch::begin(project), Instant::now());
    let (status, events) = watch.until_the_end(&mut spawn(project));
    assert!(status.success());
    Course { duration: begin.elapsed(), events }
}

/// Kills a build a pause after the moment that is aimed at, which stands at this share of those of its kind. Gives how it ended,
/// and what was aimed at.
fn kill(project: &Project, aim: Aim, share: f64, pause: Duration, course: &Course) -> (ExitStatus, String) {
    let watch = Watch::begin(project);
    let mut child = spawn(project);
    let what = match course.of(aim).as_slice() {
        [] => {
            std::thread::sleep(course.duration.mul_f64(share));
            format!("{share:.2} of its time")
        }
        places => {
            // What comes for a moment may pass unseen, but not all that came after it. A file of the measures in the making comes
            // with each of them: it may have been seen first with the last one, and would end the wait with the first.
            let at = places[(share * places.len() as f64) as usize];
            let recurs = |event: &&Event| event.path().ends_with("unfinished file 1");
            let rest = course.events[at + 1..].iter().filter(|event| !recurs(event)).cloned();
            let awaited: Vec<Event> = [course.events[at].clone()].into_iter().chain(rest).collect();
            watch.until(&awaited, &mut child);
            std::thread::sleep(pause);
            format!("{:?}", course.events[at])
        }
    };
    child.kill().expect("the child can be killed");
    (child.wait().expect("the child ends"), what)
}

/// What the cache holds of each data set, by chunks.
type Kept = BTreeMap<(String, Held), u64>;

/// What a stage is of: the steps before one that cuts, what that cuts, the first pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Held {
    Before,
    Cuts,
    FirstPass,
}

/// The chunks of each data set that the cache holds, as it shows them.
fn kept(project: &Project) -> Kept {
    let shown = project.annotc(&["cache", "show", "--format", "json"]).expect(0).answers();
    let of = |stage: &serde_json::Value| {
        let dataset = stage["uses"][0]["dataset"].as_str().unwrap_or_default();
        let held = match stage["stage"].as_str() {
            Some("cuts") => Held::Cuts,
            _ if stage["measures"].to_string().contains("the pieces that") => Held::Before,
            _ => Held::FirstPass,
        };
        ((dataset.to_owned(), held), stage["chunks"].as_u64().expect("a number"))
    };
    let of_passes = |kept: &&serde_json::Value| kept["stage"] == "measures" || kept["stage"] == "cuts";
    shown.iter().filter(of_passes).map(of).collect()
}

/// Names that only a build under way has use for.
fn left_behind(project: &Project) -> Vec<String> {
    let mut names = project.tree("");
    names.extend(project.tree(&project.cache().join("stages").to_string_lossy()));
    let mut left: Vec<String> = names.into_iter().map(|(name, _)| name).collect();
    left.retain(|name| {
        let own = name.rsplit('/').next().unwrap_or(name);
        own.starts_with('.') && !own.ends_with(".lock") || name.contains(".annotc-") && !own.ends_with(".lock")
    });
    for folder in ["spilled", "scratch"] {
        let entries = std::fs::read_dir(project.cache().join(folder)).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        left.extend(names.filter(|name| name != ".lock").map(|name| format!("{folder}/{name}")));
    }
    left
}

#[test]
fn a_build_that_is_killed_loses_nothing_and_leaves_nothing() {
    let versions: [Expected; 2] = [expected(0), expected(1)];
    let project = corpus::project(0);
    course(&project);
    assert!(found(&project) == versions[0], "with little memory the same bytes come out");
    corpus::write(&project, 1);
    forget(&project);
    let course = course(&project);

    let mut seeded = Seeded(7);
    let mut hits: BTreeMap<Aim, usize> = BTreeMap::new();
    let (mut now, mut resumed) = (1, 0);
    for (aim, kills) in AIMS {
        for number in 0..kills {
            corpus::write(&project, 1 - now);
            forget(&project);
            // Over all moments of a kind, each at a random place of its part; half of them at once, half within two milliseconds.
            let share = (number as f64 + seeded.share()) / kills as f64;
            let pause = Duration::from_secs_f64(0.002 * (2.0 * seeded.share() - 1.0).max(0.0));
            let (status, what) = kill(&project, aim, share, pause, &course);
            *hits.entry(aim).or_default() += usize::from(status.signal().is_some());
            let at = format!("the kill at {what} ({status})");
            let finished = check_left(&project, [&versions[now], &versions[1 - now]], &at);
            // Whoever takes their change back has nothing to build, and nothing is left behind all the same.
            if number % 4 == 3 && found(&project) == versions[now] {
                corpus::write(&project, now);
            } else {
                now = 1 - now;
            }
            resumed += usize::from(check_next(&project, &finished, &versions[now], &at));
        }
    }
    // A machine may be so fast or so busy that some builds have ended before.
    let all: usize = hits.values().sum();
    assert!(all >= 25 && hits[&Aim::Spills] >= 7, "too few kills met a running build: {hits:?}");
    assert!(resumed >= 10, "too few builds went on from finished chunks: {resumed}");
}

/// Fails unless each output and the lockfile are whole, the old ones or the new ones. Gives the chunks that the cache holds.
fn check_left(project: &Project, versions: [&Expected; 2], at: &str) -> Kept {
    let left = found(project);
    for (number, name) in DATASETS.iter().enumerate() {
        let whole = versions.iter().any(|known| known.trees[number] == left.trees[number]);
        assert!(whole, "{at} left half an output `{name}`");
    }
    assert!(versions.iter().any(|known| known.lock == left.lock), "{at} left half a lockfile");
    kept(project)
}

/// Fails unless the next build goes on from the finished chunks, leaves what a clean one does, and nothing of the killed one.
/// Gives whether there were any chunks.
fn check_next(project: &Project, finished: &Kept, expected: &Expected, at: &str) -> bool {
    let run = project.annotc(&["build", "all.annot", "--memory", MEMORY, "--format", "json"]).expect(0);
    let mut resumed = false;
    for answer in run.answers().iter().filter(|answer| answer["status"] == "built") {
        let dataset = answer["target"].as_str().expect("a name");
        let finished = |held| finished.get(&(dataset.to_owned(), held)).copied().unwrap_or_default();
        let first_pass = &answer["first_pass"];
        let reused = |of: &serde_json::Value| of["reused"].as_u64().unwrap_or_default();
        resumed |= reused(first_pass) > 0;
        assert_eq!(reused(first_pass), finished(Held::FirstPass), "{at}: chunks of `{dataset}`");
        for cuts in first_pass["cuts"].as_array().into_iter().flatten() {
            assert_eq!(reused(cuts), finished(Held::Before), "{at}: chunks before `{}`", cuts["rule"]);
            let whole = Some(finished(Held::Cuts)) == first_pass["chunks"].as_u64();
            assert_eq!(cuts["from"] == "cache", whole, "{at}: {cuts}");
        }
    }
    assert!(!run.stderr.contains("damaged"), "{at}: {}", run.stderr);
    assert!(found(project) == *expected, "the build after {at} differs from a clean one");
    assert_eq!(left_behind(project), Vec::<String>::new(), "the build after {at} left this");
    resumed
}

//! Sources that a build reads from a copy of its own, which executors must find.

use std::process::Command;

use super::{assert_same, cluster, on_cluster, packed, run};
use crate::remote::Hub;
use crate::support::Project;

#[test]
fn what_a_build_fetches_and_unpacks_is_read_on_a_cluster() {
    let hub = Hub::start();
    let source = |name: &str, path: &str| {
        format!("source {name} {{ path \"{path}\"; license \"MIT\"; fields {{ text: string }} }}\n")
    };
    let sources = [
        source("web", &format!("http://127.0.0.1:{}/web.jsonl", hub.port)),
        source("sheet", "sheet.csv.gz"),
        source("list", "list.json"),
        source("shop", "shop.db"),
    ];
    let dataset =
        "dataset all { from web, sheet, list, shop; split train 50%, test 50% seed 1; write jsonl; write parquet }";
    let spec = format!("annot 1\n{}{dataset}\n", sources.concat());
    let project = Project::new(&[
        ("all.annot", spec.as_bytes()),
        ("sheet.csv.gz", &packed(b"text\none\n\"two\nthree\"\n")),
        ("list.json", b"[{\"text\": \"four\"}, {\"text\": 5}, {\"text\": \"six\"}]"),
    ]);
    let shop = rusqlite::Connection::open(project.path("shop.db")).expect("a database is made");
    shop.execute_batch("CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('seven'), (x'00'), ('eight')")
        .expect("it takes rows");
    drop(shop);
    let without_proxy =
        |command: &mut Command| run(command.env_remove("HTTP_PROXY").env_remove("http_proxy")).expect(0);
    without_proxy(&mut project.command(&["build", "all.annot"]));
    assert_eq!(project.lines("build/all/quarantine.jsonl").len(), 2, "rows that cannot be read");
    let (scheduler, _executors) = cluster(&project, 1);
    without_proxy(&mut on_cluster(&project, scheduler.listen));
    assert_same(&project);
    let folders = std::fs::read_dir(project.path("cache/spilled")).expect("the folder of copies").flatten();
    assert_eq!(folders.filter(|entry| entry.path().is_dir()).count(), 0, "copies go with their build");
}

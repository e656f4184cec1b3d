//! `annotc runtime install`, as far as it goes without a network.

use crate::support::Project;

/// What lies in the cache's folder of libraries does so because a test put it there: a client that fetches is not on the path.
#[test]
fn what_is_offline_fetches_no_library() {
    let project = Project::new(&[]);
    let install = |args: &[&str]| {
        let args = [&["runtime", "install", "--offline", "--format", "json", "--cache", "kept"], args].concat();
        let output = project.command(&args).env("PATH", "").output().expect("annotc starts");
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    for args in [&[][..], &["--cuda"], &["--cuda", "12"], &["--cuda", "13"]] {
        let (status, said) = install(args);
        assert_eq!(status, Some(4), "{said}");
        assert!(!project.path("kept").exists(), "{said}");
        if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            assert!(said.contains("is not in the cache, and `--offline` forbids fetching its"), "{said}");
            assert!(said.contains("leave `--offline` out once"), "{said}");
        }
    }
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        let library = "kept/runtime/onnxruntime-1.26.0-linux-x86_64-cuda12/libonnxruntime.so.1.26.0";
        project.write(library, b"a library");
        let (status, said) = install(&["--cuda", "12"]);
        assert!(status == Some(0) && said.contains(library), "{said}");
        assert_eq!(install(&["--cuda", "13"]).0, Some(4), "the library for another release of CUDA");
    }
}

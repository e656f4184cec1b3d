//! Publishing into a store in memory whose connection is lost at every moment; and what is told of stores' answers.

use std::fmt;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use object_store::memory::InMemory;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, UploadPart,
};

use super::publish::MARKER;
use super::*;
use crate::emit::{MANIFEST, Manifest};
use crate::remote::Terms;

/// A store whose connection is lost behind so many requests.
#[derive(Debug, Clone)]
struct Failing {
    inner: Arc<InMemory>,
    left: Arc<AtomicUsize>,
}

impl Failing {
    fn step(&self) -> object_store::Result<()> {
        let left = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        let lost = |_| object_store::Error::Generic { store: "memory", source: "the connection is lost".into() };
        left.map(drop).map_err(lost)
    }
}

impl fmt::Display for Failing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for Failing {
    async fn put_opts(&self, key: &Key, bytes: PutPayload, options: PutOptions) -> object_store::Result<PutResult> {
        self.step()?;
        self.inner.put_opts(key, bytes, options).await
    }

    async fn put_multipart_opts(
        &self,
        key: &Key,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.step()?;
        let inner = self.inner.put_multipart_opts(key, options).await?;
        Ok(Box::new(FailingUpload { store: self.clone(), inner }))
    }

    async fn get_opts(&self, key: &Key, options: GetOptions) -> object_store::Result<GetResult> {
        self.step()?;
        self.inner.get_opts(key, options).await
    }

    fn delete_stream(
        &self,
        keys: BoxStream<'static, object_store::Result<Key>>,
    ) -> BoxStream<'static, object_store::Result<Key>> {
        let store = self.clone();
        let delete = move |key: object_store::Result<Key>| {
            let store = store.clone();
            async move {
                store.step()?;
                let key = key?;
                store.inner.delete(&key).await.map(|()| key)
            }
        };
        keys.then(delete).boxed()
    }

    fn list(&self, prefix: Option<&Key>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        match self.step() {
            Ok(()) => self.inner.list(prefix),
            Err(error) => futures::stream::once(async { Err(error) }).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Key>) -> object_store::Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Key, to: &Key, options: CopyOptions) -> object_store::Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

#[derive(Debug)]
struct FailingUpload {
    store: Failing,
    inner: Box<dyn MultipartUpload>,
}

#[async_trait]
impl MultipartUpload for FailingUpload {
    fn put_part(&mut self, bytes: PutPayload) -> UploadPart {
        match self.store.step() {
            Ok(()) => self.inner.put_part(bytes),
            Err(error) => async { Err(error) }.boxed(),
        }
    }

    async fn complete(&mut self) -> object_store::Result<PutResult> {
        self.store.step()?;
        self.inner.complete().await
    }

    async fn abort(&mut self) -> object_store::Result<()> {
        self.store.step()?;
        self.inner.abort().await
    }
}

/// A machine with a folder `d` that a build left, and a store.
struct Machine {
    folder: tempfile::TempDir,
    store: Store<'static>,
    memory: Failing,
}

impl Machine {
    fn of(memory: &Failing, files: &[(&str, Vec<u8>)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let remote = Remote::new(folder.path(), Terms::default(), Arc::new(AtomicBool::new(false)), Rc::new(|_| {}));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let address = StoreFolder::read("s3://bucket/out").expect("an address").expect("a folder");
        let store = Store { remote, folder: address, objects: Arc::new(memory.clone()), runtime };
        let machine = Self { folder, store, memory: memory.clone() };
        machine.build(files);
        machine
    }

    /// Leaves a folder with these files.
    fn build(&self, files: &[(&str, Vec<u8>)]) {
        let _ = std::fs::remove_dir_all(self.local());
        for (name, bytes) in files {
            let path = self.local().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder is made");
            std::fs::write(path, bytes).expect("a file is written");
        }
    }

    fn local(&self) -> std::path::PathBuf {
        self.folder.path().join("d")
    }

    /// Publishes with so many requests; gives how many files were sent.
    fn publish(&self, requests: usize) -> Result<usize, RemoteError> {
        self.memory.left.store(requests, Ordering::Relaxed);
        let kept = self.folder.path().join("kept.json");
        let pending = self.store.pending("d", &self.local(), &kept)?;
        let Some(pending) = pending else { return Ok(0) };
        self.store.publish(&pending).map(|()| pending.counted().0)
    }

    /// Every object with its bytes, as another program reads them.
    fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.store.runtime.block_on(async {
            let listed: Vec<ObjectMeta> = self.memory.inner.list(None).try_collect().await.expect("a list");
            let mut objects = BTreeMap::new();
            for one in listed {
                let bytes = self.memory.inner.get(&one.location).await.expect("it is there").bytes().await;
                objects.insert(one.location.to_string(), bytes.expect("its bytes").to_vec());
            }
            objects
        })
    }
}

fn memory() -> Failing {
    Failing { inner: Arc::new(InMemory::new()), left: Arc::new(AtomicUsize::new(usize::MAX)) }
}

/// The files of a data set whose large file has two parts.
fn files(text: &str, more: &[&'static str]) -> Vec<(&'static str, Vec<u8>)> {
    let manifest = Manifest { fingerprint: text.to_owned(), ..Manifest::default() };
    let mut files = vec![
        (MANIFEST, manifest.to_json().into_bytes()),
        ("jsonl/train.jsonl", text.as_bytes().to_vec()),
        ("jsonl/large.jsonl", text.as_bytes().repeat(PIECE as usize / text.len() + 1)),
        ("quarantine.jsonl", Vec::new()),
    ];
    files.extend(more.iter().map(|name| (*name, b"more".to_vec())));
    files
}

fn published(files: &[(&str, Vec<u8>)]) -> BTreeMap<String, Vec<u8>> {
    files.iter().map(|(name, bytes)| (format!("out/d/{name}"), bytes.clone())).collect()
}

/// Whatever request is the last one that arrives, what has a seal is whole, and the next build completes the rest.
fn check_every_moment(old: Option<&[(&str, Vec<u8>)]>, same_machine: bool) {
    let new = files("new", &["jsonl/more.jsonl"]);
    let (new_objects, old_objects) = (published(&new), old.map(published).unwrap_or_default());
    let marker = format!("out/d/{MARKER}");
    let mut broken = 0;
    for requests in 0.. {
        let memory = memory();
        let machine = Machine::of(&memory, old.unwrap_or(&new));
        if old.is_some() {
            machine.publish(usize::MAX).expect("published");
        }
        machine.build(&new);
        let machine = if same_machine { machine } else { Machine::of(&memory, &new) };
        let result = machine.publish(requests);
        let mut found = machine.objects();
        let is_marked = found.remove(&marker).is_some();
        let is_sealed = found.contains_key(&format!("out/d/{MANIFEST}"));
        assert!(!is_sealed || found == new_objects || found == old_objects, "request {requests}: {:?}", found.keys());
        assert!(is_sealed || is_marked || found.is_empty(), "request {requests}: nobody knows whose they are");
        broken += usize::from(!is_sealed);
        let is_done = result.is_ok();
        if let Err(error) = result {
            let message = error.to_string();
            assert!(
                message.starts_with("s3://bucket/out/d") && message.ends_with("the connection is lost"),
                "{message}"
            );
        }
        machine.publish(usize::MAX).expect("published now");
        assert!(machine.objects() == new_objects, "request {requests}");
        assert_eq!(machine.publish(usize::MAX).expect("nothing is done"), 0, "request {requests}");
        if is_done {
            break;
        }
    }
    assert!(broken > 0, "some moment has no seal");
}

#[test]
fn whenever_the_connection_is_lost_no_half_has_a_seal() {
    let old = files("old", &["jsonl/less.jsonl"]);
    check_every_moment(Some(&old), true);
    check_every_moment(Some(&old), false);
    check_every_moment(None, true);
}

#[test]
fn large_files_travel_while_the_old_ones_are_whole() {
    let memory = memory();
    let machine = Machine::of(&memory, &files("old", &[]));
    machine.publish(usize::MAX).expect("published");
    let old = machine.objects();
    machine.build(&files("new", &[]));
    // The list and the look at the manifest, the upload that is begun, its two parts; then the connection is lost.
    assert!(machine.publish(5).is_err());
    assert!(machine.objects() == old);
}

#[test]
fn what_changed_is_sent_and_nothing_else() {
    let memory = memory();
    let mut all = files("old", &["jsonl/more.jsonl"]);
    let machine = Machine::of(&memory, &all);
    assert_eq!(machine.publish(usize::MAX).expect("published"), 5);
    all[1].1 = b"new".to_vec();
    machine.build(&all);
    assert_eq!(machine.publish(usize::MAX).expect("published"), 2, "the file and the seal");
    assert!(machine.objects() == published(&all));
    let read = |path: &str| machine.store.read(path).expect("an answer");
    assert_eq!((read("d/jsonl/train.jsonl"), read("d/none")), (Some(b"new".to_vec()), None));
    // What somebody else has put in the place of a file, with as many bytes, is put right.
    let key = Key::from("out/d/jsonl/train.jsonl");
    machine.store.runtime.block_on(memory.inner.put(&key, "xxx".into())).expect("put");
    assert_eq!(machine.publish(usize::MAX).expect("published"), 2);
    assert!(machine.objects() == published(&all));
}

#[test]
fn nothing_foreign_is_lost() {
    for (name, bytes, is_ours) in [
        ("thesis/chapter.txt", "mine", false),
        (MANIFEST, "{\"schema\":\"another/1\"}", false),
        (MANIFEST, "no JSON", false),
        ("provenance.json", "{}", true),
        (MARKER, "", true),
    ] {
        let memory = memory();
        let machine = Machine::of(&memory, &files("new", &[]));
        let key = Key::from(format!("out/d/{name}"));
        machine.store.runtime.block_on(memory.inner.put(&key, bytes.into())).expect("put");
        let before = machine.objects();
        match machine.publish(usize::MAX) {
            Ok(_) => assert!(is_ours && machine.store.refuse_foreign("d").is_ok(), "{name}: {bytes}"),
            Err(error) => {
                assert!(!is_ours && matches!(error, RemoteError::Foreign { .. }), "{name}: {error}");
                assert!(machine.objects() == before && machine.store.refuse_foreign("d").is_err());
            }
        }
        // A name that begins so is another target's.
        assert!(machine.store.refuse_foreign("thes").is_ok());
    }
}

#[test]
fn a_stop_is_heeded_and_leaves_what_was_there() {
    let memory = memory();
    let machine = Machine::of(&memory, &files("old", &[]));
    let kept = machine.folder.path().join("kept.json");
    let pending =
        machine.store.pending("d", &machine.local(), &kept).expect("an answer").expect("something is to be done");
    machine.store.remote.cancel.store(true, Ordering::Relaxed);
    assert!(matches!(machine.store.publish(&pending), Err(RemoteError::Interrupted)));
    assert!(machine.objects().keys().all(|key| !key.ends_with(MANIFEST)));
}

#[test]
fn what_a_store_says_is_told_without_keys_and_tokens() {
    for (told, expected) in [
        (
            "Server returned non-2xx status code: 400 Bad Request: <?xml version=\"1.0\"?>\n<Error><Code>ExpiredToken</Code>\
             <Message>The provided token has expired.</Message><Token-0>s3cret</Token-0></Error>",
            "Server returned non-2xx status code: 400 Bad Request: ExpiredToken: The provided token has expired.",
        ),
        ("error for http://h/b?X-Amz-Signature=s3cret after a while", "error for http://h/b after a while"),
        ("Server returned non-2xx status code: 500: <html>s3cret</html>", "Server returned non-2xx status code: 500"),
        ("connection closed", "connection closed"),
    ] {
        assert_eq!(without_secrets(told), expected);
    }
}

//! Changes: whole objects, objects in parts that are seen once they are complete, and what is removed.

use super::{Request, State, respond, tag};

/// Does what a request asks for, and answers it.
pub fn change(state: &mut State, request: &Request, key: &str) -> Vec<u8> {
    let of = |name: &str| request.query.split('&').find_map(|part| part.strip_prefix(name));
    let text = || String::from_utf8_lossy(&request.body).into_owned();
    match (request.method.as_str(), of("comp="), of("uploadId=")) {
        ("PUT", Some("block"), _) => {
            let parts = state.parts.entry(key.to_owned()).or_default();
            parts.insert(of("blockid=").expect("a block has a name").to_owned(), request.body.clone());
            respond("201 Created", "", b"")
        }
        ("PUT", Some("blocklist"), _) => {
            let mut parts = state.parts.remove(key).unwrap_or_default();
            let names = between(&text(), "<Uncommitted>", "</Uncommitted>");
            let bytes = names.iter().flat_map(|name| parts.remove(name).expect("it was sent")).collect();
            put(state, key, bytes, "201 Created")
        }
        ("POST", Some("batch"), _) => remove_batch(state, &text()),
        ("POST", _, Some(upload)) => {
            let parts = state.parts.remove(upload).unwrap_or_default();
            let bytes: Vec<u8> = parts.into_values().flatten().collect();
            let answer = format!(
                "<CompleteMultipartUploadResult><ETag>&quot;{}&quot;</ETag></CompleteMultipartUploadResult>",
                tag(&bytes)
            );
            state.objects.insert(key.to_owned(), bytes);
            respond("200 OK", "", answer.as_bytes())
        }
        ("POST", ..) if request.query.starts_with("delete") => {
            let keys = between(&text(), "<Key>", "</Key>");
            keys.iter().for_each(|key| drop(state.objects.remove(key)));
            let removed: String = keys.iter().map(|key| format!("<Deleted><Key>{key}</Key></Deleted>")).collect();
            respond("200 OK", "", format!("<DeleteResult>{removed}</DeleteResult>").as_bytes())
        }
        ("POST", ..) => {
            state.begun += 1;
            let upload = format!("upload{}", state.begun);
            state.parts.insert(upload.clone(), Default::default());
            let answer =
                format!("<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>");
            respond("200 OK", "", answer.as_bytes())
        }
        ("PUT", _, Some(upload)) => {
            let number: usize = of("partNumber=").and_then(|number| number.parse().ok()).expect("a part has a number");
            let parts = state.parts.get_mut(upload).expect("the upload was begun");
            parts.insert(format!("{number:05}"), request.body.clone());
            respond("200 OK", &format!("ETag: \"{}\"\r\n", tag(&request.body)), b"")
        }
        ("PUT", ..) => put(state, key, request.body.clone(), "200 OK"),
        ("DELETE", _, Some(upload)) => {
            state.parts.remove(upload);
            respond("204 No Content", "", b"")
        }
        (_, ..) => {
            state.objects.remove(key);
            respond("204 No Content", "", b"")
        }
    }
}

fn put(state: &mut State, key: &str, bytes: Vec<u8>, status: &str) -> Vec<u8> {
    let answer = respond(status, &format!("ETag: \"{}\"\r\n", tag(&bytes)), b"");
    state.objects.insert(key.to_owned(), bytes);
    answer
}

/// Azure's way to remove several at once: requests within a request, each of which is answered.
fn remove_batch(state: &mut State, text: &str) -> Vec<u8> {
    let mut body = String::new();
    for (id, path) in between(text, "DELETE /bucket/", " HTTP").iter().enumerate() {
        let path = path.split('?').next().unwrap_or_default();
        state.objects.remove(&super::decoded(path));
        body += &format!(
            "--answers\r\nContent-Type: application/http\r\nContent-ID: {id}\r\n\r\nHTTP/1.1 202 Accepted\r\n\r\n\r\n"
        );
    }
    body += "--answers--\r\n";
    respond("202 Accepted", "Content-Type: multipart/mixed; boundary=answers\r\n", body.as_bytes())
}

/// What stands between two marks, each time.
fn between(text: &str, before: &str, behind: &str) -> Vec<String> {
    let parts = text.split(before).skip(1);
    parts.filter_map(|part| Some(part.split_once(behind)?.0.to_owned())).collect()
}

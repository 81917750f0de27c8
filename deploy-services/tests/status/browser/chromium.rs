//! A headless Chromium, spoken to by the DevTools protocol over a pipe.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// How long something may take to be seen.
const PATIENCE: Duration = Duration::from_secs(60);

/// The browser reads from descriptor 3 and writes to 4: a shell puts our pipes there.
const WITH_PIPES: &str = "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>/dev/null";

pub(super) struct Browser {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    sent: u64,
    session: Option<String>,
    /// What the page threw or the browser refused.
    complaints: Vec<String>,
    _profile: tempfile::TempDir,
}

impl Browser {
    pub(super) fn start(program: &OsStr) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut child = Command::new("sh")
            .args(["-c", WITH_PIPES])
            .arg(program)
            .args([
                "--headless",
                "--remote-debugging-pipe",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
            ])
            .args(["--no-first-run", "--disable-background-networking", "--disable-component-update"])
            .args(["--disable-sync", "--disable-dev-shm-usage", "--window-size=1280,1500"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let complaints = Vec::new();
        let mut browser = Self { child, to, from, sent: 0, session: None, complaints, _profile: profile };
        let target = browser.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = browser.call("Target.attachToTarget", &attach);
        browser.session = attached["sessionId"].as_str().map(Into::into);
        for domain in ["Page", "Runtime", "Log"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        browser
    }

    fn call(&mut self, method: &str, params: &Value) -> Value {
        self.sent += 1;
        let mut message = json!({ "id": self.sent, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.to.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let mut bytes = Vec::new();
            self.from.read_until(0, &mut bytes).unwrap();
            assert_eq!(bytes.pop(), Some(0), "the browser is gone");
            let mut answer: Value = serde_json::from_slice(&bytes).unwrap();
            if answer["id"] == self.sent {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].take();
            }
            self.hear(&answer);
        }
    }

    fn hear(&mut self, event: &Value) {
        let of = match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => &event["params"]["exceptionDetails"],
            // An answer of 4xx is logged as well; the page shows it.
            Some("Log.entryAdded") if event["params"]["entry"]["source"] != "network" => {
                &event["params"]["entry"]
            }
            Some(_) | None => return,
        };
        self.complaints.push(of.to_string());
    }

    pub(super) fn open(&mut self, url: &str) {
        self.call("Page.navigate", &json!({ "url": url }));
    }

    /// The value of an expression on the page.
    pub(super) fn run(&mut self, script: &str) -> Value {
        let params = json!({ "expression": script, "returnByValue": true, "userGesture": true });
        let mut result = self.call("Runtime.evaluate", &params);
        assert!(result["exceptionDetails"].is_null(), "{script}: {result}");
        result["result"]["value"].take()
    }

    pub(super) fn wait_for(&mut self, condition: &str) {
        let until = Instant::now() + PATIENCE;
        while self.run(condition) != json!(true) {
            if Instant::now() >= until {
                let text = self.run("document.body.innerText");
                panic!("never: {condition}\n{}\n{:?}", text.as_str().unwrap_or_default(), self.complaints);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(super) fn click(&mut self, selector: &str) {
        self.run(&format!("document.querySelector({}).click()", json!(selector)));
    }

    pub(super) fn type_into(&mut self, selector: &str, text: &str) {
        self.run(&format!("document.querySelector({}).value = {}", json!(selector), json!(text)));
    }

    pub(super) fn choose(&mut self, selector: &str, value: &str) {
        self.type_into(selector, value);
        self.run(&format!("document.querySelector({}).dispatchEvent(new Event('change'))", json!(selector)));
    }

    pub(super) fn dark(&mut self) {
        let feature = json!({ "name": "prefers-color-scheme", "value": "dark" });
        self.call("Emulation.setEmulatedMedia", &json!({ "features": [feature] }));
    }

    pub(super) fn narrow(&mut self) {
        let size = json!({ "width": 420, "height": 1400, "deviceScaleFactor": 1, "mobile": true });
        self.call("Emulation.setDeviceMetricsOverride", &size);
    }

    /// For people: a picture of the page in the folder that `STATUS_PICTURES` names, if it names one.
    pub(super) fn picture(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("STATUS_PICTURES") else { return };
        let picture = self.call("Page.captureScreenshot", &json!({ "format": "png" }));
        let bytes = STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
        std::fs::write(Path::new(&folder).join(name).with_extension("png"), bytes).unwrap();
    }

    /// What the page threw or the browser refused so far.
    pub(super) fn complaints(&mut self) -> Vec<String> {
        self.run("0");
        self.complaints.clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Gone already, if it crashed; the test has failed then.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

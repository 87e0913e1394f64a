//! The programs in examples/, as users run them: twice, or killed and run again.
mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use common::{Folder, kill, printed};

/// A folder in which examples run.
struct Scratch(Folder);

impl Scratch {
    fn new(name: &str) -> Scratch {
        Scratch(Folder::new(&format!("examples-{name}")))
    }

    fn command(&self, example: &str, args: &[&str]) -> Command {
        let path = format!("{}/examples/{example}", env!("CARGO_MANIFEST_DIR"));
        self.0.command(&[&["run", &path], args].concat())
    }

    /// Exit status and all that it prints, but for what the command says itself.
    fn run_with(&self, example: &str, args: &[&str], input: &str) -> (i32, String) {
        let printed = printed(self.command(example, args), input);
        let lines = printed.err.lines();
        let own = lines.filter(|line| !line.starts_with("pgo: created heap"));
        let err: String = own.map(|line| format!("{line}\n")).collect();
        (printed.status.unwrap(), printed.out + &err)
    }

    fn run(&self, example: &str, args: &[&str]) -> String {
        let (status, printed) = self.run_with(example, args, "");
        assert_eq!(status, 0, "{printed}");
        printed
    }

    fn start(&self, example: &str, args: &[&str]) -> Child {
        let mut command = self.command(example, args);
        command.stderr(Stdio::null()).spawn().unwrap()
    }
}

#[test]
fn counter_and_list() {
    let s = Scratch::new("counter");
    for run in 1..4 {
        assert_eq!(s.run("counter.pgo", &[]), format!("run {run}\n"));
    }
    s.run("linkedlist.pgo", &[]);
    assert_eq!(s.run("linkedlist.pgo", &[]), "1 2 \n");
}

#[test]
fn bank() {
    let s = Scratch::new("bank");
    let list = "ada            70\nbob            80\n";
    assert_eq!(s.run("bank.pgo", &[]), list);
    assert_eq!(s.run("bank.pgo", &[]), list);
    s.run("bank.pgo", &["transfer", "bob", "ada", "10"]);
    let (status, printed) = s.run_with("bank.pgo", &["transfer", "bob", "ada", "71"], "");
    assert_eq!((status, &printed[..]), (1, "bank: not enough money\n"));
    assert_eq!(
        s.run("bank.pgo", &["history", "bob"]),
        "   +50 opening\n   +30 ada\n   -10 ada\n"
    );
    // Every crash leaves a heap that its invariant holds for.
    let path = format!("{}/examples/bank.pgo", env!("CARGO_MANIFEST_DIR"));
    let out = s.0.done(&["crashtest", "--states", "3000", &path]);
    assert!(out.contains("all hold"), "{out}");
}

/// A site of ten pages. Page 6 is never answered while `hanging`; gives the paths that were asked for.
fn site(hanging: Arc<Mutex<bool>>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            let path = line.split(' ').nth(1).unwrap_or("/").to_string();
            if path == "/6" && *hanging.lock().unwrap() {
                // The connection stays open.
                std::mem::forget(stream);
                log.lock().unwrap().push("hang".to_string());
                continue;
            }
            let n: usize = path.trim_start_matches('/').parse().unwrap_or(0);
            let body = format!(
                "<html><title>Page {n}</title><a href=\"/{}\">next</a> <A class=x HREF=\"{}#top\">other</A> \
                 <a href=\"http://elsewhere.example/\">out</a>",
                (n + 1) % 10,
                (n + 2) % 10
            );
            let status = if n == 9 { "404 Not Found" } else { "200 OK" };
            log.lock().unwrap().push(path);
            let _ = write!(
                stream,
                "HTTP/1.0 {status}\r\nContent-Type: text/html\r\n\r\n{body}"
            );
        }
    });
    (address, asked)
}

#[test]
fn crawler() {
    let s = Scratch::new("crawler");
    let hanging = Arc::new(Mutex::new(true));
    let (address, asked) = site(hanging.clone());
    let child = s.start("crawler.pgo", &[&format!("http://{address}/0")]);
    let hangs = || asked.lock().unwrap().iter().any(|p| p == "hang");
    while !hangs() {
        thread::sleep(Duration::from_millis(10));
    }
    kill(child);
    *hanging.lock().unwrap() = false;
    let printed = s.run("crawler.pgo", &[]);
    assert!(printed.contains("10 pages:"), "{printed}");
    assert!(printed.contains("/9           404 Not Found"), "{printed}");
    assert!(
        printed.contains("going on: 6 fetched, 2 waiting"),
        "{printed}"
    );
    // Each page was fetched once.
    let mut paths: Vec<String> = asked.lock().unwrap().clone();
    paths.retain(|p| p != "hang");
    paths.sort();
    let expected: Vec<String> = (0..10).map(|n| format!("/{n}")).collect();
    assert_eq!(paths, expected);
    // It is done: nothing is fetched again.
    assert!(
        s.run("crawler.pgo", &[])
            .starts_with("going on: 10 fetched, 0 waiting\n10 pages:")
    );
    assert_eq!(asked.lock().unwrap().len(), 11);
}

#[test]
fn jobs() {
    let s = Scratch::new("jobs");
    s.run("jobs.pgo", &["add", "echo hello"]);
    s.run(
        "jobs.pgo",
        &[
            "add",
            "test -f flag || { touch flag; echo not yet; exit 1; }; echo ok",
        ],
    );
    s.run("jobs.pgo", &["add", "exit 3"]);
    s.run(
        "jobs.pgo",
        &[
            "add",
            "test -f go || { echo started; touch started; sleep 60; }",
        ],
    );
    let child = s.start("jobs.pgo", &["work", "1"]);
    while !s.0.exists("started") {
        thread::sleep(Duration::from_millis(10));
    }
    kill(child);
    s.0.write("go", "");
    let printed = s.run("jobs.pgo", &["work"]);
    for part in [
        "4 was interrupted",
        "2 done, attempt 2: ok",
        "3 failed, attempt 3",
        "4 done",
    ] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    let list = s.run("jobs.pgo", &["list"]);
    assert!(list.starts_with("  1 done     1  echo hello\n"), "{list}");
    s.run("jobs.pgo", &["retry"]);
    assert!(
        s.run("jobs.pgo", &["list"])
            .contains("  3 queued   0  exit 3")
    );
}

#[test]
fn word_index() {
    let s = Scratch::new("words");
    let texts = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in [
        "README.md",
        "ARCHITECTURE.md",
        "LICENSE-APACHE",
        "LICENSE-MIT",
    ] {
        std::fs::copy(texts.join(name), s.0.path(name)).unwrap();
    }
    let first = s.run(
        "wordcount.pgo",
        &["LICENSE-APACHE", "LICENSE-MIT", "README.md"],
    );
    assert!(first.starts_with("3 files, "), "{first}");
    assert!(
        s.run("wordcount.pgo", &["LICENSE-MIT", "ARCHITECTURE.md"])
            .starts_with("4 files, ")
    );
    let both = s.run("wordcount.pgo", &["-find", "liability", "Damages"]);
    let files: Vec<&str> = both
        .lines()
        .map(|l| l.rsplit(' ').next().unwrap())
        .collect();
    assert!(
        files[0].ends_with("LICENSE-APACHE") && files[1].ends_with("LICENSE-MIT"),
        "{both}"
    );
    assert_eq!(
        s.run("wordcount.pgo", &["-find", "liability", "quaternion"]),
        ""
    );
}

#[test]
fn key_value_server() {
    let s = Scratch::new("kv");
    let serve = || {
        let mut child = s.start("kvserver.pgo", &["127.0.0.1:0"]);
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let words: Vec<String> = line.split_whitespace().map(str::to_string).collect();
        (child, words[2].clone(), words[4].clone())
    };
    let talk = |address: &str, lines: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .write_all(format!("{lines}QUIT\n").as_bytes())
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let (child, address, keys) = serve();
    assert_eq!(keys, "0");
    assert_eq!(
        talk(
            &address,
            "SET a 1 and more\nGET a\nget b\nINCR n\nINCR a\nDEL b\nwhat\n"
        ),
        "OK\nVALUE 1 and more\nNONE\nVALUE 1\nERROR a is no number\nNONE\nERROR no command what\n"
    );
    // Clients at once; each increment that was answered counts.
    let (sender, done) = channel();
    for _ in 0..4 {
        let (address, sender) = (address.clone(), sender.clone());
        thread::spawn(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all("INCR n\n".repeat(5).as_bytes()).unwrap();
            let lines = BufReader::new(stream).lines().take(5);
            sender.send(lines.map(Result::unwrap).count()).unwrap();
        });
    }
    assert_eq!((0..4).map(|_| done.recv().unwrap()).sum::<usize>(), 20);
    kill(child);
    let (child, address, keys) = serve();
    assert_eq!(keys, "2");
    assert_eq!(
        talk(&address, "INCR n\nKEYS\nCOUNT\n"),
        "VALUE 22\nKEYS a n\nVALUE 2\n"
    );
    kill(child);
}

#[test]
fn scheduler() {
    let s = Scratch::new("cron");
    s.run("cron.pgo", &["every", "1h", "hourly", "echo an hour"]);
    s.run("cron.pgo", &["every", "200ms", "often", "echo now; exit 1"]);
    let first = s.run("cron.pgo", &["run", "500ms"]);
    assert!(
        first.contains("hourly #1: an hour") && first.contains("often #2: now"),
        "{first}"
    );
    // It ran within the hour, so it does not run again.
    let second = s.run("cron.pgo", &["run", "100ms"]);
    assert!(
        !second.contains("hourly") && second.contains("often"),
        "{second}"
    );
    s.run("cron.pgo", &["remove", "often"]);
    assert_eq!(
        s.run("cron.pgo", &["list"]),
        "hourly     every 1h0m0s   1 runs, 0 failed: echo an hour\n"
    );
}

#[test]
fn agent_memory() {
    let s = Scratch::new("memory");
    s.run(
        "memory.pgo",
        &["remember", "The user prefers short answers in German"],
    );
    s.run(
        "memory.pgo",
        &[
            "remember",
            "-tag",
            "project",
            "Answers about builds are in docs/build.md",
        ],
    );
    assert_eq!(
        s.run("memory.pgo", &["remember", "Dentist on Friday"]),
        "3\n"
    );
    let found = s.run("memory.pgo", &["recall", "build", "answers"]);
    assert!(
        found.starts_with("2 (") && found.contains("\n1 ("),
        "{found}"
    );
    let json = s.run("memory.pgo", &["recall", "-json", "-n", "1", "project"]);
    assert!(
        json.starts_with("[{\"id\":2,\"score\":") && json.contains("\"tag\":\"project\"}]"),
        "{json}"
    );
    s.run("memory.pgo", &["forget", "3"]);
    assert_eq!(s.run("memory.pgo", &["recall", "dentist"]), "");
    assert_eq!(s.run_with("memory.pgo", &["forget", "3"], "").0, 1);
    assert!(
        s.run("memory.pgo", &["list", "-tag", "project"])
            .starts_with("2 Answers")
    );
}

#[test]
fn game() {
    let s = Scratch::new("game");
    assert_eq!(
        s.run("game.pgo", &["move", "5", "1", "3"]),
        "O.X\n.X.\n...\nO to move\n"
    );
    assert_eq!(s.run("game.pgo", &["undo"]), "O..\n.X.\n...\nX to move\n");
    s.run("game.pgo", &["redo"]);
    let taken = s.run_with("game.pgo", &["move", "5"], "");
    assert_eq!(taken, (1, "game: square 5 is taken\n".to_string()));
    assert_eq!(
        s.run("game.pgo", &["move", "2", "7"]),
        "OOX\n.X.\nX..\nX has won\n"
    );
    assert_eq!(
        s.run("game.pgo", &["history"]),
        "1 move 5\n2 move 1\n3 move 3\n4 undo\n5 redo\n6 move 2\n7 move 7\n"
    );
}

#[test]
fn schema_change() {
    let s = Scratch::new("schema");
    let version = |n: u32, args: &[&str]| {
        let example = format!("schema_v{n}.pgo");
        let mut command = s.command(&example, args);
        let output = command.env("PGO_HEAP", "contacts.pheap").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    version(1, &["Ada Lovelace", "123"]);
    assert_eq!(version(1, &["Alan Turing", "456"]), "2 contacts\n");
    let migrated = "Lovelace, Ada: 123, called 2 times, email \"\"\nTuring, Alan: 456, called 1 times, email \"\"\n";
    assert_eq!(version(2, &[]), migrated);
    let later = version(2, &["Alan Turing", "alan@example.org"]);
    assert!(later.ends_with("email \"alan@example.org\"\n"), "{later}");
}

#[test]
fn sensors() {
    let s = Scratch::new("sensors");
    let lines = |from: i64, to: i64| -> String {
        (from..to)
            .map(|n| format!("temp {} {}\n", n * 60, n % 17))
            .collect()
    };
    assert_eq!(
        s.run_with("sensors.pgo", &["import"], &lines(1, 601)),
        (0, "600 stored\n".into())
    );
    assert_eq!(
        s.run_with("sensors.pgo", &["import"], &lines(601, 1001)).1,
        "400 stored\n"
    );
    let all = "temp: 1000 values from 60 to 60000, min 0, mean 7.99, max 16\n";
    assert_eq!(s.run("sensors.pgo", &[]), all);
    assert_eq!(
        s.run("sensors.pgo", &["stats", "temp", "600", "1200"]),
        "temp: 11 values from 600 to 1200, min 0, mean 8.82, max 16\n"
    );
    assert_eq!(
        s.run("sensors.pgo", &["thin", "30000"]),
        "7 blocks thinned out\n"
    );
    assert_eq!(s.run("sensors.pgo", &[]), all);
    let late = s.run_with("sensors.pgo", &["import"], "temp 5 1\n");
    assert_eq!(
        late,
        (
            1,
            "0 stored\nsensors: temp: 5 is before 60000\n".to_string()
        )
    );
}

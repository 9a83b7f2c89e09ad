//! The benchmark's three workloads through the crate `scylla`.
//!
//!     peer --target HOST:PORT --workload insert|select|page --inflight N --threads N < rounds
//!
//! Each line of standard input is a number of requests; each is answered with one line of JSON.

use std::io::BufRead;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Instant;

use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::response::PagingState;
use scylla::statement::prepared::PreparedStatement;
use scylla::statement::unprepared::Statement;
use scylla::value::CqlTimestamp;

const INSERT: &str = "INSERT INTO bench.rows (name, number, id, at, data) VALUES (?, ?, ?, ?, ?)";
const SELECT: &str = "SELECT name, number, id, at, data FROM bench.rows WHERE id = ?";
const PAGE: &str = "SELECT name, number, id, at, data FROM bench.rows";
const PAGE_ROWS: usize = 5000;
const TEMPLATES: usize = 64;

type Row<'a> = (&'a str, i32, i64, CqlTimestamp, &'a [u8]);
type Failure = Box<dyn std::error::Error + Send + Sync>;

struct Options {
    target: String,
    workload: String,
    inflight: u64,
    threads: usize,
}

/// The cells of a row but its id, and what they add up to. Rows repeat after 64.
struct Template {
    name: String,
    number: i32,
    at: CqlTimestamp,
    data: Vec<u8>,
    sum: u64,
}

struct Peer {
    session: Session,
    prepared: PreparedStatement,
    templates: Vec<Template>,
    workload: String,
}

fn options() -> Result<Options, Failure> {
    let mut o = Options {
        target: String::new(),
        workload: String::new(),
        inflight: 1,
        threads: 1,
    };
    let args: Vec<String> = std::env::args().skip(1).collect();
    for pair in args.chunks(2) {
        let value = pair.get(1).ok_or("an option wants a value")?;
        match pair[0].as_str() {
            "--target" => o.target = value.clone(),
            "--workload" => o.workload = value.clone(),
            "--inflight" => o.inflight = value.parse()?,
            "--threads" => o.threads = value.parse()?,
            other => return Err(format!("no such option: {other}").into()),
        }
    }
    Ok(o)
}

/// To read a string is to take its length and its ends, as in the C programs.
fn sum_bytes(b: &[u8]) -> u64 {
    match (b.first(), b.last()) {
        (Some(a), Some(z)) => b.len() as u64 + u64::from(*a) + u64::from(*z),
        _ => 0,
    }
}

/// All cells but the id.
fn sum_cells(r: &Row) -> u64 {
    sum_bytes(r.0.as_bytes())
        .wrapping_add(r.1 as u64)
        .wrapping_add(r.3 .0 as u64)
        .wrapping_add(sum_bytes(r.4))
}

async fn templates(session: &Session) -> Result<Vec<Template>, Failure> {
    let select = session.prepare(SELECT).await?;
    let mut all = Vec::new();
    for id in 0..TEMPLATES as i64 {
        let result = session.execute_unpaged(&select, (id,)).await?.into_rows_result()?;
        let row = result.single_row::<Row>()?;
        all.push(Template {
            name: row.0.to_string(),
            number: row.1,
            at: row.3,
            data: row.4.to_vec(),
            sum: sum_cells(&row),
        });
    }
    Ok(all)
}

async fn connect(o: &Options) -> Result<Peer, Failure> {
    let session = SessionBuilder::new()
        .known_node(&o.target)
        .pool_size(scylla::client::PoolSize::PerHost(1.try_into()?))
        .build()
        .await?;
    let cql = match o.workload.as_str() {
        "insert" => INSERT,
        "select" => SELECT,
        "page" => PAGE,
        _ => return Err("no such workload".into()),
    };
    let mut prepared = session
        .prepare(Statement::new(cql).with_page_size(PAGE_ROWS as i32))
        .await?;
    prepared.set_is_idempotent(true);
    prepared.set_use_cached_result_metadata(true);
    Ok(Peer {
        templates: templates(&session).await?,
        session,
        prepared,
        workload: o.workload.clone(),
    })
}

async fn insert(p: &Peer, id: i64) -> Result<(), Failure> {
    let t = &p.templates[id as usize % TEMPLATES];
    let values = (t.name.as_str(), t.number, id, t.at, t.data.as_slice());
    p.session.execute_unpaged(&p.prepared, values).await?;
    Ok(())
}

async fn select(p: &Peer, id: i64) -> Result<(), Failure> {
    let result = p.session.execute_unpaged(&p.prepared, (id,)).await?.into_rows_result()?;
    let row = result.single_row::<Row>()?;
    if row.2 != id || sum_cells(&row) != p.templates[id as usize % TEMPLATES].sum {
        return Err("another row than asked for".into());
    }
    Ok(())
}

async fn page(p: &Peer) -> Result<(), Failure> {
    let (result, _) = p
        .session
        .execute_single_page(&p.prepared, (), PagingState::start())
        .await?;
    let result = result.into_rows_result()?;
    let mut count = 0;
    let mut sum = 0u64;
    for row in result.rows::<Row>()? {
        let row = row?;
        sum = sum.wrapping_add(sum_cells(&row)).wrapping_add(row.2 as u64);
        count += 1;
    }
    let mut expected = 0u64;
    for id in 0..PAGE_ROWS {
        expected = expected
            .wrapping_add(p.templates[id % TEMPLATES].sum)
            .wrapping_add(id as u64);
    }
    if count != PAGE_ROWS || sum != expected {
        return Err("the cells do not add up".into());
    }
    Ok(())
}

/// `inflight` tasks take the next request as soon as theirs is answered.
async fn round(p: &Arc<Peer>, inflight: u64, requests: u64) -> Result<(), Failure> {
    let next = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::new();
    for _ in 0..inflight {
        let (p, next) = (p.clone(), next.clone());
        tasks.push(tokio::spawn(async move {
            loop {
                let id = next.fetch_add(1, Ordering::Relaxed);
                if id >= requests {
                    return Ok::<(), Failure>(());
                }
                match p.workload.as_str() {
                    "insert" => insert(&p, id as i64).await?,
                    "select" => select(&p, id as i64).await?,
                    _ => page(&p).await?,
                }
            }
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(())
}

async fn run(o: Options) -> Result<(), Failure> {
    let p = Arc::new(connect(&o).await?);
    for line in std::io::stdin().lock().lines() {
        let requests: u64 = line?.trim().parse()?;
        let began = Instant::now();
        round(&p, o.inflight, requests).await?;
        println!(
            "{{\"program\":\"scylla\",\"requests\":{requests},\"wall_ns\":{}}}",
            began.elapsed().as_nanos()
        );
    }
    Ok(())
}

fn main() -> Result<(), Failure> {
    let o = options()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(o.threads)
        .enable_all()
        .build()?;
    runtime.block_on(run(o))
}

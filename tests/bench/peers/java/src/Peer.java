import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.DefaultConsistencyLevel;
import com.datastax.oss.driver.api.core.config.DefaultDriverOption;
import com.datastax.oss.driver.api.core.config.DriverConfigLoader;
import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The benchmark's three workloads through java-driver-core, in its asynchronous style.
 *
 * <p>Peer --target HOST:PORT --workload insert|select|page --inflight N --threads N &lt; rounds
 *
 * <p>Each line of standard input is a number of requests; each is answered with one line of JSON.
 */
public final class Peer {
    private static final String INSERT =
            "INSERT INTO bench.rows (name, number, id, at, data) VALUES (?, ?, ?, ?, ?)";
    private static final String SELECT =
            "SELECT name, number, id, at, data FROM bench.rows WHERE id = ?";
    private static final String PAGE = "SELECT name, number, id, at, data FROM bench.rows";
    private static final int PAGE_ROWS = 5000;
    private static final int TEMPLATES = 64;

    private final CqlSession session;
    private final String workload;
    private final PreparedStatement prepared;
    private final String[] names = new String[TEMPLATES];
    private final int[] numbers = new int[TEMPLATES];
    private final Instant[] times = new Instant[TEMPLATES];
    private final ByteBuffer[] data = new ByteBuffer[TEMPLATES];
    private final long[] sums = new long[TEMPLATES];
    private long pageSum;

    private Peer(CqlSession session, String workload) {
        this.session = session;
        this.workload = workload;
        String cql = workload.equals("insert") ? INSERT : workload.equals("select") ? SELECT : PAGE;
        prepared = session.prepare(cql);
        learn(session.prepare(SELECT));
    }

    /* Rows repeat after 64 but for their id. */
    private void learn(PreparedStatement select) {
        for (int i = 0; i < TEMPLATES; i++) {
            Row r = session.execute(select.bind((long) i)).one();
            names[i] = r.getString(0);
            numbers[i] = r.getInt(1);
            times[i] = r.getInstant(3);
            data[i] = r.getByteBuffer(4);
            sums[i] = sum(r);
        }
        for (int id = 0; id < PAGE_ROWS; id++) {
            pageSum += sums[id % TEMPLATES] + id;
        }
    }

    /* To read a string is to take its length and its ends, as in the C programs; this driver makes an
     * object of each cell. All cells but the id. */
    private static long sum(Row r) {
        byte[] name = r.getString(0).getBytes(StandardCharsets.UTF_8);
        ByteBuffer b = r.getByteBuffer(4);
        return name.length + (name[0] & 0xff) + (name[name.length - 1] & 0xff) + r.getInt(1)
                + r.getInstant(3).toEpochMilli() + b.remaining() + (b.get(b.position()) & 0xff)
                + (b.get(b.limit() - 1) & 0xff);
    }

    private BoundStatement bind(long id) {
        int t = (int) (id % TEMPLATES);
        switch (workload) {
            case "insert":
                return prepared.bind(names[t], numbers[t], id, times[t], data[t]);
            case "select":
                return prepared.bind(id);
            default:
                return prepared.bind().setPageSize(PAGE_ROWS);
        }
    }

    private void check(AsyncResultSet rs, long id) {
        if (workload.equals("insert")) {
            return;
        }
        long sum = 0;
        long count = 0;
        long last = 0;
        for (Row r : rs.currentPage()) {
            last = r.getLong(2);
            sum += sum(r) + last;
            count++;
        }
        boolean good = workload.equals("page")
                ? count == PAGE_ROWS && sum == pageSum
                : count == 1 && last == id && sum == sums[(int) (id % TEMPLATES)] + id;
        if (!good) {
            throw new IllegalStateException("the cells do not add up");
        }
    }

    /* Each answer submits the next request. */
    private final class Round {
        private final long requests;
        private final AtomicLong next = new AtomicLong();
        private final AtomicLong answered = new AtomicLong();
        private final CompletableFuture<Void> done = new CompletableFuture<>();

        Round(long requests) {
            this.requests = requests;
        }

        void submit() {
            long id = next.getAndIncrement();
            if (id >= requests) {
                return;
            }
            session.executeAsync(bind(id)).whenComplete((rs, error) -> answer(id, rs, error));
        }

        private void answer(long id, AsyncResultSet rs, Throwable error) {
            try {
                if (error != null) {
                    throw new IllegalStateException(error);
                }
                check(rs, id);
                submit();
                if (answered.incrementAndGet() == requests) {
                    done.complete(null);
                }
            } catch (RuntimeException e) {
                done.completeExceptionally(e);
            }
        }
    }

    private void round(int inflight, long requests) throws Exception {
        Round round = new Round(requests);
        for (int i = 0; i < inflight; i++) {
            round.submit();
        }
        round.done.get();
    }

    private static CqlSession connect(String target, int threads) {
        int colon = target.lastIndexOf(':');
        DriverConfigLoader config = DriverConfigLoader.programmaticBuilder()
                .withString(DefaultDriverOption.PROTOCOL_VERSION, "V4")
                .withString(DefaultDriverOption.REQUEST_CONSISTENCY,
                        DefaultConsistencyLevel.LOCAL_ONE.name())
                .withDuration(DefaultDriverOption.REQUEST_TIMEOUT, Duration.ofSeconds(60))
                .withInt(DefaultDriverOption.CONNECTION_POOL_LOCAL_SIZE, 1)
                .withInt(DefaultDriverOption.NETTY_IO_SIZE, threads)
                .withBoolean(DefaultDriverOption.REQUEST_WARN_IF_SET_KEYSPACE, false)
                .build();
        return CqlSession.builder()
                .addContactPoint(new InetSocketAddress(target.substring(0, colon),
                        Integer.parseInt(target.substring(colon + 1))))
                .withLocalDatacenter("datacenter1")
                .withConfigLoader(config)
                .build();
    }

    public static void main(String[] args) throws Exception {
        Map<String, String> options = new HashMap<>();
        for (int i = 0; i + 1 < args.length; i += 2) {
            options.put(args[i], args[i + 1]);
        }
        int threads = Integer.parseInt(options.getOrDefault("--threads", "1"));
        int inflight = Integer.parseInt(options.getOrDefault("--inflight", "1"));
        try (CqlSession session = connect(options.get("--target"), threads)) {
            Peer peer = new Peer(session, options.get("--workload"));
            BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
            for (String line; (line = lines.readLine()) != null; ) {
                long requests = Long.parseLong(line.trim());
                long began = System.nanoTime();
                peer.round(inflight, requests);
                System.out.printf("{\"program\":\"java-driver\",\"requests\":%d,\"wall_ns\":%d}%n",
                        requests, System.nanoTime() - began);
                System.out.flush();
            }
        }
    }
}

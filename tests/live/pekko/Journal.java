// A persistent actor on pekko-persistence-cassandra: counts, remembers, takes snapshots.
//
//   Journal persist N    persists N events and prints the count that the actor then has
//   Journal replay       starts again from the journal and prints the count
import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;

public final class Journal
        extends EventSourcedBehavior<Journal.Command, String, Long> {
    static final class Command {
        final String event; // null: only tell the count
        final ActorRef<Long> answer;

        Command(String event, ActorRef<Long> answer) {
            this.event = event;
            this.answer = answer;
        }
    }

    private Journal() {
        super(PersistenceId.ofUniqueId("pekko-test"));
    }

    @Override
    public Long emptyState() {
        return 0L;
    }

    @Override
    public RetentionCriteria retentionCriteria() {
        return RetentionCriteria.snapshotEvery(100, 2);
    }

    @Override
    public java.util.Set<String> tagsFor(String event) {
        return java.util.Collections.singleton("pekko");
    }

    @Override
    public CommandHandler<Command, String, Long> commandHandler() {
        return newCommandHandlerBuilder().forAnyState().onCommand(Command.class, (state, command) ->
            command.event == null
                ? Effect().none().thenReply(command.answer, s -> s)
                : Effect().persist(command.event).thenReply(command.answer, s -> s)).build();
    }

    @Override
    public EventHandler<Long, String> eventHandler() {
        return newEventHandlerBuilder().forAnyState().onAnyEvent((state, event) -> state + 1);
    }

    private static long ask(ActorSystem<Command> system, String event) throws Exception {
        CompletionStage<Long> answer = AskPattern.ask(
            system, (ActorRef<Long> to) -> new Command(event, to), Duration.ofSeconds(60), system.scheduler());
        return answer.toCompletableFuture().get(60, TimeUnit.SECONDS);
    }

    public static void main(String[] args) throws Exception {
        Behavior<Command> behavior = new Journal();
        ActorSystem<Command> system =
            ActorSystem.create(behavior, "journal", ConfigFactory.load("journal.conf"));
        int code = 0;
        try {
            long count = ask(system, null);
            int more = args[0].equals("persist") ? Integer.parseInt(args[1]) : 0;
            for (int i = 0; i < more; i++)
                count = ask(system, "event " + i);
            System.out.println("count " + count);
            if (more > 0)
                Thread.sleep(1000); // the snapshot is saved beside
        } catch (Exception failure) {
            System.out.println("failed: " + failure);
            code = 1;
        }
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().get(60, TimeUnit.SECONDS);
        System.exit(code);
    }
}

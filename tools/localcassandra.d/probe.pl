#!/usr/bin/perl
# Asks one Cassandra node one query over the native protocol, version 4.
#
#   probe.pl [options] ADDRESS PORT      exit 0 if a query answers
#     --timeout SECONDS    for the whole exchange (default 3)
#     --tls CA CERT KEY    speak through 'openssl s_client'
#     --count TABLE        print the number of rows of TABLE
#     --run STATEMENT      run a statement that changes the schema
#     --all                at consistency ALL, not ONE
#   probe.pl --free ADDRESS PORT         exit 0 if one could listen there
#
# Exit: 0 answered; 1 no answer; 4 it answered, but refused the log-in
# cassandra/cassandra; 5 it answered, but cannot check a log-in because the nodes
# that hold the users are down. A cause goes to standard error.
use strict;
use warnings;
use IO::Socket::INET;
use IPC::Open2;
use Socket qw(SOMAXCONN);

my ($timeout, $level, $count, $run, @tls, $free) = (3, 1);
while (@ARGV && $ARGV[0] =~ /^--/) {
    my $option = shift @ARGV;
    if    ($option eq '--timeout') { $timeout = shift @ARGV }
    elsif ($option eq '--count')   { $count = shift @ARGV }
    elsif ($option eq '--run')     { $run = shift @ARGV }
    elsif ($option eq '--all')     { $level = 5 }
    elsif ($option eq '--tls')     { @tls = splice(@ARGV, 0, 3) }
    elsif ($option eq '--free')    { $free = 1 }
    else                           { die "probe.pl: unknown option $option\n" }
}
my ($address, $port) = @ARGV;
die "probe.pl: an address and a port are needed\n" unless defined $port;

if ($free) {
    my $listener = IO::Socket::INET->new(
        LocalAddr => $address, LocalPort => $port, Proto => 'tcp',
        Listen    => 1, ReuseAddr => 1);
    exit($listener ? 0 : 1);
}

my %opcode = (error => 0, startup => 1, ready => 2, authenticate => 3, query => 7,
    result => 8, challenge => 14, answer => 15, success => 16);
my ($in, $out, $child);
my $deadline = time + $timeout;

sub give_up {
    my ($code, $why) = @_;
    print STDERR "$address:$port: $why\n";
    finish($code);
}

sub finish {
    my ($code) = @_;
    if ($child) {
        kill 'TERM', $child;
        waitpid $child, 0;
    }
    exit $code;
}

sub connect_plain {
    my $socket = IO::Socket::INET->new(
        PeerAddr => $address, PeerPort => $port, Proto => 'tcp', Timeout => $timeout)
        or give_up(1, "no connection: $@");
    $socket->autoflush(1);
    ($in, $out) = ($socket, $socket);
}

sub connect_tls {
    my ($ca, $cert, $key) = @tls;
    open(STDERR, '>', '/dev/null');
    $child = open2($in, $out, 'openssl', 's_client', '-quiet', '-connect', "$address:$port",
        '-CAfile', $ca, '-verify_return_error', '-cert', $cert, '-key', $key);
    $SIG{PIPE} = 'IGNORE';
}

sub read_exactly {
    my ($wanted) = @_;
    my $bytes = '';
    while (length $bytes < $wanted) {
        my $left = $deadline - time;
        give_up(1, 'no answer in time') if $left <= 0;
        my $ready = '';
        vec($ready, fileno($in), 1) = 1;
        next unless select($ready, undef, undef, $left) > 0;
        my $got = sysread($in, $bytes, $wanted - length $bytes, length $bytes);
        give_up(1, 'the connection was closed') unless $got;
    }
    return $bytes;
}

sub exchange {
    my ($code, $body) = @_;
    syswrite($out, pack('CCnCN', 0x04, 0, 0, $code, length $body) . $body);
    my ($version, $flags, undef, $answer, $length) = unpack('CCnCN', read_exactly(9));
    give_up(1, 'the answer is not protocol version 4') if $version != 0x84;
    give_up(1, 'the answer is too long') if $length > 1 << 20;
    my $answer_body = read_exactly($length);
    # Warnings, a list of strings, stand before what was asked for.
    $answer_body = (unpack('n/(n/a*) a*', $answer_body))[-1] if $flags & 0x08;
    return ($answer, $answer_body);
}

sub short_string { return pack('n/a*', $_[0]) }
sub long_string  { return pack('N/a*', $_[0]) }

sub error_text {
    my ($code, $text) = unpack('N n/a*', $_[0]);
    return sprintf('error 0x%04x: %s', $code, $text);
}

sub log_in {
    my ($answer, $body) =
        exchange($opcode{answer}, long_string("\0cassandra\0cassandra"));
    return if $answer == $opcode{success};
    give_up(4, 'the log-in was refused') if $answer != $opcode{error};
    my $text = error_text($body);
    give_up($text =~ /unable to perform authentication/i ? 5 : 4, $text);
}

sub start {
    my ($answer, $body) = exchange($opcode{startup},
        pack('n', 1) . short_string('CQL_VERSION') . short_string('3.0.0'));
    return if $answer == $opcode{ready};
    return log_in() if $answer == $opcode{authenticate};
    give_up(1, $answer == $opcode{error} ? error_text($body) : "answer $answer to STARTUP");
}

# The body of the answer, which must be a RESULT of the given kind.
sub query {
    my ($text, $kind) = @_;
    my ($answer, $body) = exchange($opcode{query}, long_string($text) . pack('nC', $level, 0));
    give_up(1, error_text($body)) if $answer == $opcode{error};
    give_up(1, 'an unexpected answer')
        unless $answer == $opcode{result} && unpack('N', $body) == $kind;
    return $body;
}

my ($rows, $schema_change) = (2, 5);
@tls ? connect_tls() : connect_plain();
start();
if (defined $run) {
    query($run, $schema_change);
} elsif (defined $count) {
    # One row with one bigint: the last eight bytes of the body.
    print unpack('q>', substr(query("SELECT count(*) FROM $count", $rows), -8)), "\n";
} else {
    query('SELECT now() FROM system.local', $rows);
}
finish(0);

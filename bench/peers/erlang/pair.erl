%% Pair does the works of the benchmarks between two processes with Erlang/OTP,
%% with the distribution's default limits. It follows package pair: it takes the
%% same flags and prints the same lines, but what the client wants of the server
%% it does over the distribution, since Erlang can.
-module(pair).
-export([start/0, sink/0, echo/0]).

-define(SMALL, 64).
-define(MEDIUM, 65536).
-define(LARGE, 524288).
-define(IDLE, 1500).
-define(MOST, 4000000).
-define(SERVER, 'server@127.0.0.1').

start() ->
    spawn(fun() ->
        try main(init:get_plain_arguments())
        catch Class:Reason:Stack ->
            io:format(standard_error, "~p: ~p~n~p~n", [Class, Reason, Stack]),
            erlang:halt(1)
        end
    end).

main(Args) ->
    case flag("-pair", Args) of
        "server" ->
            io:format("{\"server\":\"~s\",\"control\":\"\"}~n", [flag("-listen", Args)]),
            until_eof(),
            erlang:halt(0);
        "client" ->
            true = net_kernel:connect_node(?SERVER),
            Work = flag("-pair-work", Args),
            Line = work(Work, milliseconds(flag("-length", Args))),
            io:format("{\"work\":\"~s\",~s}~n", [Work, Line]),
            erlang:halt(0)
    end.

flag(Name, [Name, Value | _]) -> Value;
flag(Name, [_ | Rest]) -> flag(Name, Rest).

%% A duration as Go prints one of less than a minute: "400ms" or "1.5s".
milliseconds(Text) ->
    case lists:splitwith(fun(C) -> (C >= $0 andalso C =< $9) orelse C =:= $. end, Text) of
        {N, "ms"} -> round(number(N));
        {N, "s"} -> round(number(N) * 1000)
    end.

number(Text) ->
    case string:to_float(Text) of
        {error, no_float} -> list_to_integer(Text);
        {F, _} -> F
    end.

until_eof() ->
    case io:get_line("") of
        eof -> ok;
        {error, _} -> ok;
        _ -> until_eof()
    end.

work("oneway", Ms) -> messages("oneway", 1, Ms);
work("oneway_bytes", _) -> "\"cannot\":true"; % a binary is what oneway sends
work("oneway_struct", _) -> "\"cannot\":true";
work("pairs16", Ms) -> messages("pairs16", 16, Ms);
work("bulk64k", Ms) -> bulk("bulk64k", ?MEDIUM, Ms);
work("bulk512k", Ms) -> bulk("bulk512k", ?LARGE, Ms);
%% What a receiver gets is a reference to bytes that nobody copies any more.
work("bulk512k_lent", Ms) -> bulk("bulk512k_lent", ?LARGE, Ms);
work("request", Ms) ->
    Echo = remote(echo),
    _ = ask(Echo, Ms div 4),
    Took = ask(Echo, Ms),
    figures([{"request_p50", percentile(Took, 0.50)}, {"request_p99", percentile(Took, 0.99)}], length(Took), length(Took), 0);
work("ping_same", Ms) ->
    Echo = remote(echo),
    Sink = remote(sink),
    Sink ! {expect, self(), infinity, false},
    Sender = spawn_link(fun() -> forever(Sink, binary:copy(<<0>>, ?LARGE)) end),
    _ = ask(Echo, Ms div 4),
    Took = ask(Echo, Ms),
    unlink(Sender),
    exit(Sender, kill),
    figures([{"ping_p99_same", percentile(Took, 0.99)}, {"ping_p50_same", percentile(Took, 0.50)}], length(Took), length(Took), 0);
work("default_lost", _) ->
    Sent = [run([remote(sink)], N, Size, false) || {N, Size} <- [{8000, ?MEDIUM}, {1000, ?LARGE}]],
    Arrived = lists:sum([A || {A, _, _} <- Sent]),
    figures([{"default_lost", 9000 - Arrived}], 9000, Arrived, 0);
work(_, _) -> "\"cannot\":true".

remote(Function) -> spawn_link(?SERVER, ?MODULE, Function, []).

messages(Name, Pairs, Ms) ->
    Sinks = [remote(sink) || _ <- lists:seq(1, Pairs)],
    {N, {Arrived, Misordered, Seconds}} = sized(Sinks, 2000, ?SMALL, true, Ms),
    figures([{Name, Arrived / Seconds}], N * Pairs, Arrived, Misordered).

bulk(Name, Size, Ms) ->
    {N, {Arrived, _, Seconds}} = sized([remote(sink)], max(8, 4194304 div Size), Size, false, Ms),
    figures([{Name, Arrived * Size / Seconds / 1.0e6}], N, Arrived, 0).

%% Two runs that warm up and tell the rate, then the one that counts.
sized(Sinks, Least, Size, Fresh, Ms) ->
    Next = fun(Count, Length) ->
        {Arrived, _, Seconds} = run(Sinks, Count, Size, Fresh),
        min(max(round(Arrived / Seconds * Length / 1000 / length(Sinks)), Least), ?MOST)
    end,
    N = Next(Next(Least, Ms / 8), Ms),
    {N, run(Sinks, N, Size, Fresh)}.

%% Messages to each sink from a sender of its own: what has arrived, how much of
%% it in the wrong order, and the seconds from the first send to the last
%% confirmation.
run(Sinks, Count, Size, Fresh) ->
    [S ! {expect, self(), Count, Fresh} || S <- Sinks],
    [receive {S, ready} -> ok end || S <- Sinks],
    Began = erlang:monotonic_time(),
    [spawn_link(fun() -> send(S, 0, Count, binary:copy(<<0>>, Size), Fresh) end) || S <- Sinks],
    Got = [receive {S, arrived, A, M} -> {A, M} end || S <- Sinks],
    Took = erlang:convert_time_unit(erlang:monotonic_time() - Began, native, nanosecond) / 1.0e9,
    {Arrived, Misordered} = lists:unzip(Got),
    {lists:sum(Arrived), lists:sum(Misordered), Took}.

send(_, Count, Count, _, _) -> ok;
send(Sink, N, Count, Payload, true) ->
    Sink ! <<N:64, 0:64, 0:384>>,
    send(Sink, N + 1, Count, Payload, true);
send(Sink, N, Count, Payload, false) ->
    Sink ! Payload,
    send(Sink, N + 1, Count, Payload, false).

forever(Sink, Payload) ->
    Sink ! Payload,
    forever(Sink, Payload).

%% A sink counts what it is told to expect, and tells when that is there or when
%% nothing more comes.
sink() ->
    receive
        {expect, From, Count, Ordered} ->
            From ! {self(), ready},
            count(From, Count, Ordered, 0, 0, 0);
        B when is_binary(B) ->
            sink()
    end.

count(From, Count, _, Count, _, Misordered) ->
    From ! {self(), arrived, Count, Misordered},
    sink();
count(From, Count, true, Seen, Next, Misordered) ->
    receive
        <<N:64, _:56/binary>> when N >= Next -> count(From, Count, true, Seen + 1, N + 1, Misordered);
        B when is_binary(B) -> count(From, Count, true, Seen + 1, Next, Misordered + 1)
    after ?IDLE ->
        From ! {self(), arrived, Seen, Misordered},
        sink()
    end;
count(From, Count, false, Seen, Next, Misordered) ->
    receive
        B when is_binary(B) -> count(From, Count, false, Seen + 1, Next, Misordered)
    after ?IDLE ->
        From ! {self(), arrived, Seen, Misordered},
        sink()
    end.

echo() ->
    receive
        {From, Ref, Payload} ->
            From ! {Ref, Payload},
            echo()
    end.

%% Requests one after the other for that many milliseconds: nanoseconds of each.
ask(Echo, Ms) ->
    Ends = erlang:monotonic_time(millisecond) + Ms,
    ask(Echo, Ends, Ends + 4 * Ms, 0, []).

ask(Echo, Ends, Latest, N, Took) ->
    Asked = erlang:monotonic_time(),
    Payload = <<N:64, 0:64, 0:384>>,
    %% As gen_server:call does, less its timeout's bookkeeping.
    Ref = erlang:monitor(process, Echo),
    Echo ! {self(), Ref, Payload},
    receive
        {Ref, Payload} -> erlang:demonitor(Ref, [flush])
    after 5000 ->
        error(no_reply)
    end,
    Now = erlang:monotonic_time(),
    All = [erlang:convert_time_unit(Now - Asked, native, nanosecond) | Took],
    Clock = erlang:convert_time_unit(Now, native, millisecond),
    if
        Clock >= Latest -> All;
        Clock >= Ends, N >= 99 -> All;
        true -> ask(Echo, Ends, Latest, N + 1, All)
    end.

%% The nearest rank, in microseconds.
percentile(Took, P) ->
    Sorted = lists:sort(Took),
    Rank = min(max(ceil(P * length(Sorted)), 1), length(Sorted)),
    lists:nth(Rank, Sorted) / 1000.

figures(Figures, Sent, Arrived, Misordered) ->
    Fields = [io_lib:format("\"~s\":~s", [Name, io_lib:format("~w", [V])]) || {Name, V} <- Figures],
    io_lib:format("\"figures\":{~s},\"sent\":~b,\"arrived\":~b,\"misordered\":~b",
        [lists:join(",", Fields), Sent, Arrived, Misordered]).

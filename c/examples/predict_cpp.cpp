/* predict_cpp MODEL: two threads predict with one model of an input of two numbers, each with a session of its own. */
#include "nnp.hpp"

#include <future>
#include <iostream>

int main(int argc, char **argv)
{
    if (argc != 2) {
        std::cerr << "predict_cpp MODEL\n";
        return 2;
    }
    try {
        const nnp::Model model(argv[1]);
        const auto predict = [&model](std::vector<float> row) {
            nnp::Session session(model);
            return session.predict(row, {1, 2}).at(0);
        };
        std::future<float> first = std::async(std::launch::async, predict, std::vector<float>{1, 3});
        std::future<float> second = std::async(std::launch::async, predict, std::vector<float>{2, 1});
        std::cout << first.get() << '\n' << second.get() << '\n';
    } catch (const nnp::Error &error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
    return 0;
}
